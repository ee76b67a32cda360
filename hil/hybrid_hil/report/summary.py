"""What a run came to, in a line and in tables."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hybrid_hil.report.record import BAD, Case, Facts, Outcome, Run

# pytest's exit codes that say nothing beside what its tests do: all passed, some failed, there were none
TOLD_BY_TESTS = frozenset({0, 1, 5})


class Verdict(StrEnum):
    """What may be said of a run as a whole. Only `PASSED` is good: passing needs proof."""

    PASSED = "passed"
    FAILED = "failed"
    ENDED_EARLY = "ended early"
    NOTHING_PROVEN = "nothing proven"


@dataclass(frozen=True)
class FileRow:
    """The tests of one file: how many ended how, and their time together."""

    file: str
    counts: Counter[Outcome]
    duration_s: float


@dataclass(frozen=True)
class MatrixRow:
    """One test over several runs; None where a run has not had it."""

    test: str
    outcomes: tuple[Outcome | None, ...]

    @property
    def bad(self) -> bool:
        return any(outcome in BAD for outcome in self.outcomes)

    @property
    def uneven(self) -> bool:
        """Whether the runs disagree about it."""
        return len(set(self.outcomes)) > 1

    @property
    def telling(self) -> bool:
        """Whether a reader has to see it."""
        return self.bad or self.uneven


def counts(cases: Iterable[Case]) -> Counter[Outcome]:
    return Counter(case.outcome for case in cases)


def verdict(run: Run) -> Verdict:
    """A run is good when something passed, nothing failed, and pytest itself came to its end."""
    found = counts(run.cases)
    if any(found[outcome] for outcome in BAD):
        return Verdict.FAILED
    if run.exit_code not in TOLD_BY_TESTS:
        return Verdict.ENDED_EARLY
    if run.exit_code == 1:
        return Verdict.FAILED
    return Verdict.PASSED if found[Outcome.PASSED] else Verdict.NOTHING_PROVEN


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on several runs together."""
    order = (Verdict.FAILED, Verdict.ENDED_EARLY, Verdict.NOTHING_PROVEN, Verdict.PASSED)
    found = set(verdicts) or {Verdict.NOTHING_PROVEN}
    return next(each for each in order if each in found)


def spoken(found: Counter[Outcome]) -> str:
    """Counts as a phrase, the worst first: `1 failed, 2 skipped, 117 passed`."""
    return ", ".join(f"{found[outcome]} {outcome}" for outcome in Outcome if found[outcome]) or "no tests"


def headline(of: Verdict, found: Counter[Outcome]) -> str:
    """What a person reads first, and maybe only."""
    bad = sum(found[outcome] for outcome in BAD)
    ran = found.total() - found[Outcome.SKIPPED]
    if of is Verdict.PASSED:
        return f"{found[Outcome.PASSED]} passed, none failed"
    return f"{bad} of {ran} failed" if bad else of.capitalize()


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def day(seconds: float) -> str:
    """The date of a time since the epoch, in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def by_file(cases: Iterable[Case]) -> list[FileRow]:
    """Test file by outcome, in the order in which the files were run."""
    files: dict[str, list[Case]] = {}
    for case in cases:
        files.setdefault(case.file, []).append(case)
    return [FileRow(file, counts(found), sum(case.duration_s for case in found)) for file, found in files.items()]


def matrix(runs: Sequence[Run]) -> list[MatrixRow]:
    """Test by run: first what failed anywhere, then what the runs disagree about, then the rest."""
    tables = [{case.test: case.outcome for case in run.cases} for run in runs]
    tests = dict.fromkeys(test for table in tables for test in table)
    rows = [MatrixRow(test, tuple(table.get(test) for table in tables)) for test in tests]
    return sorted(rows, key=lambda row: (not row.bad, not row.uneven))


def labels(runs: Sequence[Run]) -> list[str]:
    """A short name for each run, of what tells it from the others, its day included; numbered where nothing does."""
    told = [(*_told(run.facts), day(run.began)) for run in runs]
    telling = [column for column in range(len(told[0])) if len({facts[column] for facts in told}) > 1]
    names = [" · ".join(filter(None, (facts[column] for column in telling))) for facts in told]
    if len(runs) == 1:
        return ["the run"]
    return [
        name if name and names.count(name) == 1 else f"{name} #{number}".strip()
        for number, name in enumerate(names, start=1)
    ]


def _told(facts: Facts) -> tuple[str, ...]:
    """What runs differ in, the most telling first."""
    qemu = f"QEMU {facts.qemu}" if facts.qemu else ""
    return facts.board, facts.image_origin, facts.layout, qemu, facts.kernel
