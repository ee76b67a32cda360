"""Tests over a history of runs: which are bad since when, and which are flaky."""

from dataclasses import replace

import pytest

from hybrid_hil.report.boots import bars
from hybrid_hil.report.nights import Course, pasts
from hybrid_hil.report.reason import REASON_LINES, reason
from hybrid_hil.report.record import Boot, Outcome, Run, StageTime
from tests.unit.hil.report_samples import BEGAN, FACTS, case, run

LABELS = [f"night {number}" for number in range(9)]
OUTCOMES = {".": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERROR, "s": Outcome.SKIPPED}


def course(outcomes: str, revisions: str = "abcdefghi") -> list[Run]:
    """Nights in which one test ended like that, a blank where it was not there."""
    return [
        replace(
            run((case(1, OUTCOMES[outcome]),) if outcome in OUTCOMES else ()),
            facts=replace(FACTS, runtime=revisions[night]),
        )
        for night, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("..FFF", "bad since night 2"),
        ("FFF", "bad since night 0"),
        (".s EsF", "bad since night 3"),
        (".FF..", "good again: bad from night 1 to night 2"),
        (".F.", "good again: bad in night 1"),
        (".F.F.", "flaky: bad in 2 of 5, first in night 1"),
        ("F.EE", "flaky: bad in 3 of 4, first in night 0"),
    ],
)
def test_a_test_s_past_in_words(outcomes: str, expected: str) -> None:
    (past,) = pasts(course(outcomes))
    assert past.spoken(LABELS) == expected


@pytest.mark.parametrize("outcomes", ["...", "s.s", "F", " F "])
def test_what_was_never_bad_or_ran_once_has_no_past(outcomes: str) -> None:
    assert pasts(course(outcomes)) == []


def test_a_revision_that_was_good_and_bad_is_flaky_at_once() -> None:
    assert [past.course for past in pasts(course(".F", "aa"))] == [Course.FLAKY]
    assert [past.course for past in pasts(course("F.", "ab"))] == [Course.MENDED]
    unknown = [replace(each, facts=replace(each.facts, runtime="")) for each in course(".F")]
    assert [past.course for past in pasts(unknown)] == [Course.BAD]


def test_runs_on_different_boards_are_no_history() -> None:
    two, one = course(".."), [replace(each, facts=replace(each.facts, layout="one-core")) for each in course("FF")]
    (past,) = pasts([two[0], one[0], two[1], one[1]])
    assert (past.course, past.first_bad, past.last_bad, past.ran) == (Course.BAD, 1, 3, 2)


def test_a_reason_is_what_pytest_says_of_the_error() -> None:
    detail = (
        "def t():\n>   assert a == b\nE   AssertionError: no\nE     - a\nE     + b\n\nfile:1: AssertionError\nE   later"
    )
    assert reason(detail) == "AssertionError: no\n  - a\n  + b"
    assert reason("boot failed: no kernel\nremedy\n  | last line") == "boot failed: no kernel"
    assert reason("Traceback (most recent call last):\n  File x\nOSError: no") == "OSError: no"
    assert len(reason("E  x\n" * 500).splitlines()) == REASON_LINES
    assert reason("") == ""


def test_of_many_boots_those_that_failed_and_the_longest_are_shown_in_order_of_time() -> None:
    boots = [Boot(BEGAN + n, (StageTime("kernel", float(n)), StageTime("ssh", 1.0)), n == 2) for n in range(1, 9)]
    shown = bars(boots, BEGAN, most=3)
    assert [(bar.at_s, bar.failed) for bar in shown] == [(2.0, True), (7.0, False), (8.0, False)]
    assert [segment.failed for segment in shown[0].segments] == [False, True]
    assert shown[-1].segments[0].width + shown[-1].segments[1].width == pytest.approx(100)
    assert shown[0].spoken == "kernel 2.0 s · ssh 1.0 s, failed"
    assert bars([], BEGAN) == []
