"""Tables and JSON for the verbs that list something."""

import posix as os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values, usage_error
from hybrid_runtime.system.json_text import write, write_for_person
from hybrid_runtime.system.text import LONGEST_VALUE, printable

FORMATS = ("table", "json")


def wanted_format(values: Values, verb: str) -> str:
    """Raises Failure."""
    form = values.get("format", "table")
    if form not in FORMATS:
        raise usage_error(f"--format `{form}` is neither table nor json", verb)
    return form


def say_json(context: Context, value: object) -> None:
    """One line for programs, indented for a person's terminal."""
    context.say((write_for_person(value) if os.isatty(1) else write(value)) + "\n")


def table(names: tuple[str, ...], entries: list[dict[str, object]]) -> str:
    """A column for each name, `-` for what is empty."""
    rows = [[name.upper() for name in names]]
    rows += [[_cell(entry.get(name)) for name in names] for entry in entries]
    widths = [max(len(row[index]) for row in rows) for index in range(len(names))]
    return "".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _cell(value: object) -> str:
    """On one line, whatever a bundle's name holds."""
    return "-" if value is None or value == "" else printable(str(value), LONGEST_VALUE)
