"""The mutants that a run tries, and how their tests do without them."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from filelock import FileLock

from hybrid_hil.host.checkout import checkout_root
from tests.checkout_copy import copy_checkout
from tests.mutants.baseline import Baseline, Baselines, run_baseline
from tests.mutants.mutant import EntryError, Mutant, read_mutants
from tests.mutants.trial import Report
from tests.throwaway_folder import ThrowawayFolder

PREFIX = "hybrid-mutant-"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--file", action="append", metavar="PATH", help="mutants of this file alone, as often as wanted")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mutant" not in metafunc.fixturenames:
        return
    try:
        mutants = read_mutants()
    except EntryError as error:
        raise pytest.UsageError(str(error)) from error
    files = metafunc.config.getoption("--file")
    if files:
        unknown = set(files) - {mutant.file for mutant in mutants}
        if unknown:
            raise pytest.UsageError(f"no mutant is of `{min(unknown)}`")
        mutants = [mutant for mutant in mutants if mutant.file in files]
    metafunc.parametrize("mutant", [_parameter(mutant) for mutant in mutants])


def _parameter(mutant: Mutant) -> object:
    marks = [pytest.mark.nightly] if mutant.needs_board else []
    return pytest.param(mutant, id=str(mutant), marks=marks)


@pytest.fixture
def folder() -> Iterator[Path]:
    """For all files of one run."""
    with ThrowawayFolder(PREFIX) as made:
        yield made


@pytest.fixture
def copy(folder: Path) -> Path:
    """The checkout to be mutated."""
    target = folder / "c"
    copy_checkout(checkout_root(), target)
    return target


@pytest.fixture(scope="session")
def baselines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Baselines:
    """Of the tests of all mutants that this run tries: those with a board, or those without. One worker runs them."""
    shared = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        shared = shared.parent
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    values = [item.callspec.params["mutant"] for item in items]
    mutants = [value for value in values if isinstance(value, Mutant)]

    def baseline(on_board: bool) -> Baseline:
        kept = shared / f"baseline-{'with' if on_board else 'without'}-board.json"
        with FileLock(kept.with_suffix(".lock")):
            if not kept.exists():
                tests = {test for mutant in mutants if mutant.needs_board is on_board for test in mutant.tests}
                made = _baseline_of(tests, on_board)
                kept.write_text(json.dumps([asdict(report) for report in made.reports]))
        return Baseline(tuple(Report(**report) for report in json.loads(kept.read_text())))

    return baseline


def _baseline_of(tests: set[str], on_board: bool) -> Baseline:
    with ThrowawayFolder(PREFIX) as folder:
        copy_checkout(checkout_root(), folder / "c")
        return run_baseline(folder / "c", folder, tests, plugins=on_board)
