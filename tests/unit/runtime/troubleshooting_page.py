"""The tables of docs/troubleshooting.md, made from the checks. As a program it writes them into the page."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from hybrid_runtime.command.doctor import MODULES
from hybrid_runtime.setup.doctor.finding import OK, Check

PAGE = Path(__file__).resolve().parents[3] / "docs/troubleshooting.md"
WRITE = "PYTHONPATH=runtime python3 tests/unit/runtime/troubleshooting_page.py"
_TABLE = re.compile(r"(?<=^<!-- checks: )(\w+)( -->\n).*?(?=^<!-- end -->$)", re.MULTILINE | re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def checks_of(module: ModuleType) -> list[Check]:
    """In the order of the source."""
    return [check for check in vars(module).values() if isinstance(check, Check)]


CHECKS = [check for module in MODULES for check in checks_of(module)]


def tables() -> dict[str, str]:
    """One for each module, of what is not well, and one of all that is."""
    found = {
        module.__name__.rpartition(".")[2]: _table(
            ("finding", "meaning", "remedy"),
            ((check.title, check.meaning, check.remedy) for check in checks_of(module) if check.level != OK),
        )
        for module in MODULES
    }
    found[OK] = _table(("finding", "meaning"), ((check.title, check.meaning) for check in CHECKS if check.level == OK))
    return found


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, *((row[0], row[1].removesuffix("."), *map(_shown, row[2:])) for row in rows)]
    first, *others = (" | ".join(cell.replace("|", r"\|") for cell in line) for line in lines)
    return "".join(
        f"{line}\n" for line in (f"| {first} |", "|---" * len(head) + "|", *(f"| {row} |" for row in others))
    )


def _shown(remedy: str) -> str:
    """With upper-case words for what is filled in on the device."""
    return _PLACEHOLDER.sub(lambda found: found[1].upper().replace("_", " "), remedy)


def with_tables(page: str) -> str:
    """The page with all tables anew; the rest is as it was. Raises KeyError for a marker that names no module."""
    made = tables()
    return _TABLE.sub(lambda found: f"{found[1]}{found[2]}{made[found[1]]}", page)


def marked(page: str) -> list[str]:
    return [name for name, _ in _TABLE.findall(page)]


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
