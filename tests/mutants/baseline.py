"""Tests of mutants, run once without any mutant: only those that pass then can tell something."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.trial import Ending, Report, Trial, run_tests
from tests.mutants.trial_reports import FOUND

WHOLE_S = 3 * 3600.0


@dataclass(frozen=True)
class Baseline:
    """What became of each test without a mutant."""

    reports: tuple[Report, ...]

    def against(self, test: str) -> str:
        """Why `test` tells nothing; empty when all it names passes. Parameters need not be named."""
        of_test = [report for report in self.reports if names(test, report.node)]
        if not of_test:
            return f"there is no test `{test}`"
        failed = [report for report in of_test if report.outcome == "failed"]
        if failed:
            return f"`{failed[0].node}` fails without the mutant, at its {failed[0].when}:\n{failed[0].text}"
        if not any(report.when == "call" and report.outcome == "passed" for report in of_test):
            return f"`{test}` was skipped without the mutant, or not run"
        return ""

    def seconds(self, tests: Iterable[str]) -> float:
        """How long they took."""
        wanted = list(tests)
        return sum(report.seconds for report in self.reports if any(names(test, report.node) for test in wanted))


def names(test: str, node: str) -> bool:
    """Whether `test` means that node: it, one of its parameters, or one of its class."""
    return node == test or node.startswith((f"{test}[", f"{test}::"))


def run_baseline(copy: Path, folder: Path, tests: Iterable[str], *, plugins: bool = False) -> Baseline:
    """Tests that are not there are found out first: pytest runs none of the others if it is told such a name."""
    wanted = sorted(set(tests))
    files = sorted({test.partition("::")[0] for test in wanted})
    there = [file for file in files if (copy / file).is_file()]
    found = _ran(copy, folder, ["--collect-only", *there], plugins).reports if there else ()
    known = [test for test in wanted if any(names(test, report.node) for report in found)]
    if not known:
        return Baseline(())
    return Baseline(tuple(report for report in _ran(copy, folder, known, plugins).reports if report.when != FOUND))


def _ran(copy: Path, folder: Path, words: Iterable[str], plugins: bool) -> Trial:
    trial = run_tests(copy, folder, [*words], WHOLE_S, plugins=plugins)
    if not trial.reports or trial.ending in (Ending.BROKEN, Ending.HANG):
        raise RuntimeError(f"pytest did not come to its end without a mutant:\n{trial.shown}")
    return trial


Baselines = Callable[[bool], Baseline]
