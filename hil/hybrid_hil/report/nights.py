"""Tests over a history of runs: since when each is bad, and which are flaky."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from hybrid_hil.report.record import BAD, Facts, Outcome, Run


class Course(StrEnum):
    """How a test that was bad went on."""

    BAD = "bad since"
    FLAKY = "flaky"
    MENDED = "good again"


@dataclass(frozen=True)
class Past:
    """A test in the runs of one configuration, in order of time; `first_bad` and `last_bad` are places among all runs,
    `ran` counts those in which it passed or failed."""

    test: str
    course: Course
    first_bad: int
    last_bad: int
    bad: int
    ran: int

    def spoken(self, labels: Sequence[str]) -> str:
        """In words, with runs by their names."""
        return f"flaky: {self.when(labels)}" if self.course is Course.FLAKY else self.when(labels)

    def when(self, labels: Sequence[str]) -> str:
        """The same for whom it is told that a test is flaky."""
        first, last = labels[self.first_bad], labels[self.last_bad]
        if self.course is Course.BAD:
            return f"bad since {first}"
        if self.course is Course.FLAKY:
            return f"bad in {self.bad} of {self.ran}, first in {first}"
        return f"good again: bad in {first}" if first == last else f"good again: bad from {first} to {last}"


def pasts(runs: Sequence[Run]) -> list[Past]:
    """Of every test that was bad in a configuration with several runs; `runs` are in order of time."""
    outcomes: dict[tuple[tuple[str, ...], str], list[tuple[int, Outcome]]] = {}
    for place, run in enumerate(runs):
        for case in run.cases:
            if case.bad or case.outcome is Outcome.PASSED:
                outcomes.setdefault((_configuration(run.facts), case.test), []).append((place, case.outcome))
    found = (_past(test, course, runs) for (_, test), course in outcomes.items() if len(course) > 1)
    return [past for past in found if past is not None]


def _past(test: str, course: Sequence[tuple[int, Outcome]], runs: Sequence[Run]) -> Past | None:
    bad = [place for place, outcome in course if outcome in BAD]
    if not bad:
        return None
    states = [outcome in BAD for _, outcome in course]
    if _comes_back(states) or _disagrees(course, runs):
        how = Course.FLAKY
    else:
        how = Course.BAD if states[-1] else Course.MENDED
    return Past(test, how, bad[0], bad[-1], len(bad), len(course))


def _comes_back(states: Iterable[bool]) -> bool:
    """Whether it was bad, then good, then bad."""
    return [state for state, _ in groupby(states)].count(True) > 1


def _disagrees(course: Iterable[tuple[int, Outcome]], runs: Sequence[Run]) -> bool:
    """Whether the same revision was both good and bad; one that is not known counts as none."""
    seen: dict[tuple[str, ...], set[bool]] = {}
    for place, outcome in course:
        facts = runs[place].facts
        if facts.runtime:
            seen.setdefault((facts.runtime, facts.image_hash, facts.kernel), set()).add(outcome in BAD)
    return any(len(found) > 1 for found in seen.values())


def _configuration(facts: Facts) -> tuple[str, ...]:
    """What stays the same from night to night; runs that differ in it are no history."""
    return facts.board, facts.image_origin, facts.layout, facts.qemu
