"""How a job ended, and what a night comes to."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.nightly.result import FILE, JobOutcome, JobResult, Tally, judged, keep, kept, read_tally
from hybrid_hil.nightly.summary import headline, markdown, succeeded

GOOD = Tally(10, 0, 2)


@pytest.mark.parametrize(
    ("exit_code", "tally", "outcome", "reason"),
    [
        (0, GOOD, JobOutcome.PASSED, ""),
        (1, Tally(9, 1, 2), JobOutcome.FAILED, "pytest ended with 1"),
        (0, Tally(0, 0, 12), JobOutcome.FAILED, "no test passed"),
        (0, None, JobOutcome.FAILED, "pytest left no JUnit XML"),
        (5, Tally(0, 0, 0), JobOutcome.FAILED, "pytest ended with 5"),
        (-9, None, JobOutcome.FAILED, "pytest ended with -9"),
    ],
)
def test_only_tests_that_passed_make_a_part_pass(
    exit_code: int, tally: Tally | None, outcome: JobOutcome, reason: str
) -> None:
    result = judged("part", exit_code, tally, 3.0)
    assert (result.outcome, result.reason, result.tally) == (outcome, reason, tally)


def test_tally_adds_up_all_suites(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(
        '<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1"/>'
        '<testsuite tests="2" failures="0" errors="0" skipped="0"/></testsuites>'
    )
    assert read_tally(file) == Tally(4, 2, 1)


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsuite"])
def test_a_run_that_died_has_no_tally(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "junit.xml"
    if text is not None:
        file.write_text(text)
    assert read_tally(file) is None


@pytest.mark.parametrize(
    "result", [JobResult("p", JobOutcome.PASSED, "", 61.5, GOOD), JobResult("p", JobOutcome.LEFT_OUT, "why", 0, None)]
)
def test_results_are_kept(tmp_path: Path, result: JobResult) -> None:
    keep(result, tmp_path / "p")
    assert kept("p", tmp_path) == result


def test_a_result_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    result = kept("p", tmp_path)
    assert result.outcome is JobOutcome.FAILED
    assert "no result" in result.reason


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outcome": "fine", "tally": null}'])
def test_rubbish_is_no_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / FILE).write_text(text)
    with pytest.raises(RigError, match="is no result of a night"):
        kept("p", tmp_path)


def results(*outcomes: JobOutcome) -> list[JobResult]:
    return [JobResult(f"part{number}", outcome) for number, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("outcomes", "good"),
    [
        ((JobOutcome.PASSED, JobOutcome.LEFT_OUT), True),
        ((JobOutcome.PASSED, JobOutcome.FAILED), False),
        ((JobOutcome.PASSED, JobOutcome.INTERRUPTED), False),
        ((JobOutcome.LEFT_OUT, JobOutcome.LEFT_OUT), False),
        ((), False),
    ],
)
def test_a_good_night_ran_something_and_all_of_it_passed(outcomes: tuple[JobOutcome, ...], good: bool) -> None:
    assert succeeded(results(*outcomes)) is good


def test_the_headline_stands_on_the_image_made_by_buildroot() -> None:
    on_product = [
        JobResult("buildroot-two-cores-host", JobOutcome.PASSED),
        JobResult("buildroot-one-core-host", JobOutcome.FAILED),
    ]
    assert headline(results(JobOutcome.PASSED)).startswith("nothing ran on the image made by Buildroot; 1 of 1 parts")
    assert headline(on_product[:1]).startswith("the image made by Buildroot passed in all of its 1 parts")
    assert headline(on_product).startswith("the image made by Buildroot failed in buildroot-one-core-host; 1 of 2")


def test_markdown_has_a_row_for_each_part() -> None:
    made = markdown(
        [JobResult("a", JobOutcome.PASSED, "", 125, GOOD), JobResult("b", JobOutcome.LEFT_OUT, "no | here")]
    )
    assert "| a | passed | 2:05 | 10 | 0 | 2 |  |" in made
    assert "| b | left out |  |  |  |  | no \\| here |" in made
