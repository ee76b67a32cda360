"""docs/troubleshooting.md: its tables are those of the checks."""

import pytest

from hybrid_runtime.setup.doctor.finding import OK, Check
from tests.unit.runtime.troubleshooting_page import CHECKS, PAGE, WRITE, marked, tables, with_tables

PROSE = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_checks() -> None:
    assert with_tables(PROSE) == PROSE, f"write the page anew: {WRITE}"


def test_each_table_is_there_once() -> None:
    assert marked(PROSE) == list(tables())


def test_titles_are_told_apart() -> None:
    assert len({check.title for check in CHECKS}) == len(CHECKS) > 40


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.title)
def test_words_of_a_check(check: Check) -> None:
    assert bool(check.remedy) == (check.level != OK)
    assert not check.title.endswith(".")
    assert check.title[0].islower()
    assert check.meaning.endswith(".")
    assert not check.remedy.endswith(".")


def test_placeholders_are_shown_as_words() -> None:
    assert "echo stop > PATH/state" in tables()["access"]
    assert "| MAKE IT WRITABLE, or choose another --root |" in tables()["storage"]
    assert "{" not in "".join(tables().values())
