"""Help texts, made from the table."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Option, Values
from hybrid_runtime.command.table import (
    EXIT_CODES,
    FURTHER_GLOBAL_OPTIONS,
    GLOBAL_OPTIONS,
    VERBS,
    Verb,
    find_verb,
    refusal,
)

_HELP_OPTION = Option("-h, --help", about="Print help")


def _columns(rows: list[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in rows)
    return [f"  {left:<{width}}  {right}".rstrip() for left, right in rows]


def _option_rows(options: tuple[Option, ...]) -> list[tuple[str, str]]:
    rows = []
    for option in options:
        if option.ignored:
            continue
        # Long-only options line up with those that have a short name.
        names = ", ".join(option.names) if len(option.names) > 1 else f"    {option.names[0]}"
        rows.append((f"{names} <{option.value}>" if option.value else names, option.about))
    return rows


def overview() -> str:
    """The first screen."""
    lines = ["Deploy an application across available embedded cores.", "", "Usage: hybrid-runtime <COMMAND>"]
    for section in ("Commands", "Further commands"):
        rows = [(verb.name, verb.summary) for verb in VERBS if verb.section == section]
        lines += ["", f"{section}:", *_columns(rows)]
    lines += ["", "Options:", *_columns(_option_rows(GLOBAL_OPTIONS))]
    lines += ["", "Further options:", *_columns(_option_rows(FURTHER_GLOBAL_OPTIONS))]
    lines += ["", "Exit codes:", *_columns(list(EXIT_CODES))]
    return "\n".join(lines) + "\n"


def of_verb(verb: Verb) -> str:
    # The help option alone does not make a verb's usage line longer.
    words = [verb.name, *(["[OPTIONS]"] if verb.options and verb.name == "delete" else [])]
    words += [name for name, _ in verb.arguments]
    lines = [verb.summary, "", f"Usage: hybrid-runtime {' '.join(words)}"]
    if verb.arguments:
        lines += ["", "Arguments:", *_columns(list(verb.arguments))]
    lines += ["", "Options:", *_columns(_option_rows((*verb.options, _HELP_OPTION)))]
    if verb.examples:
        lines += ["", "Examples:", *(f"  {example}" for example in verb.examples)]
    return "\n".join(lines) + "\n"


def run(context: Context, values: Values) -> int:
    if not values.arguments:
        context.say(overview())
        return 0
    verb = find_verb(values.arguments[0])
    if verb is None:
        raise refusal(values.arguments[0])
    context.say(of_verb(verb))
    return 0
