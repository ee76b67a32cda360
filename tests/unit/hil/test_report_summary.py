"""What may be said of a run, and in which order."""

from dataclasses import replace

import pytest

from hybrid_hil.report.latency import latencies, quantile, thinned
from hybrid_hil.report.record import Facts, Outcome, VerbCall
from hybrid_hil.report.summary import (
    Verdict,
    by_file,
    counts,
    duration,
    headline,
    labels,
    matrix,
    spoken,
    verdict,
    worst,
)
from tests.unit.hil.report_samples import case, run, usual_run

PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED


@pytest.mark.parametrize(
    ("outcomes", "exit_code", "expected"),
    [
        ([PASSED, SKIPPED], 0, Verdict.PASSED),
        ([PASSED, FAILED], 1, Verdict.FAILED),
        ([Outcome.ERROR], 1, Verdict.FAILED),
        ([PASSED], 1, Verdict.FAILED),
        ([PASSED], 2, Verdict.ENDED_EARLY),
        ([PASSED], 3, Verdict.ENDED_EARLY),
        ([PASSED, FAILED], 2, Verdict.FAILED),
        ([SKIPPED, Outcome.XFAILED], 0, Verdict.NOTHING_PROVEN),
        ([], 5, Verdict.NOTHING_PROVEN),
    ],
)
def test_passing_needs_proof(outcomes: list[Outcome], exit_code: int, expected: Verdict) -> None:
    cases = tuple(case(number, outcome) for number, outcome in enumerate(outcomes))
    assert verdict(run(cases, exit_code)) is expected


def test_one_bad_run_spoils_a_night() -> None:
    assert worst([Verdict.PASSED, Verdict.FAILED, Verdict.NOTHING_PROVEN]) is Verdict.FAILED
    assert worst([Verdict.PASSED, Verdict.NOTHING_PROVEN]) is Verdict.NOTHING_PROVEN
    assert worst([]) is Verdict.NOTHING_PROVEN


def test_headlines_count_what_ran() -> None:
    found = counts(usual_run().cases)
    assert spoken(found) == "1 failed, 1 xfailed, 1 skipped, 37 passed"
    assert headline(Verdict.FAILED, found) == "1 of 39 failed"
    assert headline(Verdict.PASSED, counts([case(1), case(2)])) == "2 passed, none failed"
    assert headline(Verdict.ENDED_EARLY, counts([case(1)])) == "Ended early"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (119.6, "2 min 0 s"), (7500, "2 h 5 min")],
)
def test_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_files_are_counted_in_the_order_they_were_run() -> None:
    rows = by_file([case(0, file="b.py"), case(1, FAILED, file="a.py"), case(2, file="b.py")])
    assert [(row.file, row.counts[PASSED], row.counts[FAILED], row.duration_s) for row in rows] == [
        ("b.py", 2, 0, 4.0),
        ("a.py", 0, 1, 2.0),
    ]


def test_a_matrix_shows_first_what_failed_then_what_differs() -> None:
    first = run((case(0), case(1), case(2), case(3)))
    second = run((case(0), case(1, SKIPPED), case(2, FAILED)))
    rows = matrix([first, second])
    assert [(row.test[-3:], row.outcomes) for row in rows] == [
        ("[2]", (PASSED, FAILED)),
        ("[1]", (PASSED, SKIPPED)),
        ("[3]", (PASSED, None)),
        ("[0]", (PASSED, PASSED)),
    ]
    assert [row.telling for row in rows] == [True, True, True, False]


def test_runs_are_called_by_what_tells_them_apart() -> None:
    def of(*facts: Facts) -> list[str]:
        return labels([replace(run(()), facts=one) for one in facts])

    debian = Facts(image_origin="debian", layout="two-cores", qemu="7.2.22", kernel="6.12")
    newer = replace(debian, qemu="10.0.2")
    assert of(debian, newer) == ["QEMU 7.2.22", "QEMU 10.0.2"]
    assert of(debian, replace(newer, layout="one-core")) == ["two-cores · QEMU 7.2.22", "one-core · QEMU 10.0.2"]
    assert of(debian, debian) == ["#1", "#2"]
    assert of(debian, newer, newer) == ["QEMU 7.2.22", "QEMU 10.0.2 #2", "QEMU 10.0.2 #3"]
    assert of(debian) == ["the run"]


def test_only_calls_that_succeeded_have_a_latency() -> None:
    one = case(0)
    told = (("start", 0.3, 0), ("state", 0.2, 0), ("state", 0.1, 0), ("state", 9.0, 1))
    calls = tuple(VerbCall(verb, 0, seconds, status) for verb, seconds, status in told)
    found = latencies([run((replace(one, observed=replace(one.observed, calls=calls)),))])
    assert [(each.verb, each.seconds, each.slowest) for each in found] == [
        ("state", (0.1, 0.2), 0.2),
        ("start", (0.3,), 0.3),
    ]
    assert found[0].median == pytest.approx(0.15)


def test_quantiles_lie_between_neighbours() -> None:
    assert quantile([1.0], 0.95) == 1.0
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert quantile([0.0, 10.0], 0.95) == pytest.approx(9.5)


def test_thinning_keeps_both_ends() -> None:
    values = [float(value) for value in range(1000)]
    kept = thinned(values, 10)
    assert len(kept) == 10
    assert (kept[0], kept[-1]) == (0.0, 999.0)
    assert thinned(values[:5], 10) == values[:5]
