"""Every mutant is killed by the tests that are named for it."""

from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from tests.mutants.baseline import Baselines
from tests.mutants.image_cache import link_cache
from tests.mutants.mutant import EntryError, Mutant
from tests.mutants.trial import Ending, run_tests

# Beyond ten times what its tests take without the mutant: to begin, and not to wait for ever.
BEGINNING_S = 60.0
NOT_EVER_S = 600.0
TIMES = 10


def test_is_killed(mutant: Mutant, copy: Path, folder: Path, baselines: Baselines) -> None:
    try:
        mutant.apply(copy)
    except EntryError as error:
        pytest.fail(f"{mutant}: {error}", pytrace=False)
    baseline = baselines(mutant.needs_board)
    reasons = [reason for test in mutant.tests if (reason := baseline.against(test))]
    if reasons:
        pytest.fail(f"{mutant}: {reasons[0]}", pytrace=False)
    beyond = BEGINNING_S if mutant.ends is Ending.HANG else NOT_EVER_S
    seconds = Deadline(beyond + TIMES * baseline.seconds(mutant.tests)).remaining()
    cache = link_cache(folder / "cache") if mutant.needs_board else None
    trial = run_tests(copy, folder, ["-x", *mutant.tests], seconds, plugins=mutant.needs_board, cache=cache)
    if trial.ending not in (Ending.TEST, mutant.ends):
        pytest.fail(f"{mutant}: {WORDS[trial.ending]}\n{trial.shown}", pytrace=False)


WORDS = {
    Ending.PASSED: "survives: its tests pass",
    Ending.FIXTURE: "only fixtures fail, which the entry does not say",
    Ending.COLLECTION: "its tests cannot be collected, which the entry does not say",
    Ending.HANG: "was cut, and the entry does not say that it hangs",
    Ending.BROKEN: "pytest ended without a word on any test",
}
