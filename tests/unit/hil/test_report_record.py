"""Results as they are kept between a run and its pages."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_hil.failure import RigError
from hybrid_hil.report.record import FORMAT, Run, read_run, structured, write_run
from tests.unit.hil.report_samples import hostile_run, run, usual_run


@pytest.mark.parametrize("original", [usual_run(), hostile_run(), run(())], ids=["usual", "hostile", "empty"])
def test_a_run_comes_back_as_it_was_written(original: Run, tmp_path: Path) -> None:
    file = tmp_path / "made" / "run.json"
    write_run(original, file)
    assert read_run(file) == original
    assert list(file.parent.iterdir()) == [file]


RUNS = st.from_type(Run).map(lambda run: Run(run.began, run.duration_s, run.exit_code, run.facts, run.cases))


@given(RUNS.filter(lambda run: "nan" not in repr(run)))
def test_every_run_survives_json(original: Run) -> None:
    assert structured(json.loads(json.dumps(asdict(original))), Run) == original


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no results of tests"),
        (json.dumps({"format": FORMAT + 1}), f"has the format `{FORMAT + 1}`, this hil reads {FORMAT}"),
        (json.dumps({"format": FORMAT}), "is damaged: .*began"),
        (json.dumps({**asdict(run(())), "cases": [{"test": 1, "outcome": "odd"}]}), r"is damaged: .*cases\[0\]"),
    ],
)
def test_what_is_no_result_is_refused_with_a_remedy(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(RigError, match=message) as caught:
        read_run(file)
    assert "--hil-report" in caught.value.remedy


def test_results_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="cannot be read"):
        read_run(tmp_path / "nowhere.json")
