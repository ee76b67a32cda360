"""`hil report` as a person meets it."""

from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_hil.__main__ import run as hil
from hybrid_hil.report.record import write_run
from tests.unit.hil.report_samples import case, hostile_run, run, usual_run


@pytest.fixture
def saved(tmp_path: Path) -> dict[str, str]:
    """Files of results, by what they are."""
    good = run((case(0), case(1)))
    runs = {
        "failed": usual_run(),
        "good": replace(good, facts=replace(good.facts, layout="one-core")),
        "empty": run((), exit_code=5),
        "hostile": hostile_run(),
    }
    for name, each in runs.items():
        write_run(each, tmp_path / f"{name}.json")
    return {name: str(tmp_path / f"{name}.json") for name in runs}


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("failed", 1), ("empty", 1)])
def test_the_exit_code_is_the_verdict(name: str, code: int, saved: dict[str, str]) -> None:
    assert hil(["report", saved[name]]) == code


def test_the_table_names_what_failed(saved: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    hil(["report", saved["failed"]])
    shown = capsys.readouterr().out
    assert "failed in the run:" in shown
    assert "tests/board/test_lifecycle.py::test_a_life_of_its_own[7]" in shown


def test_several_results_are_one_page_with_a_matrix(
    saved: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "made" / "night.html"
    assert hil(["report", saved["failed"], saved["good"], "--html", str(page)]) == 1
    assert "The same everywhere" in page.read_text()
    shown = capsys.readouterr().out
    assert "two-cores" in shown
    assert "one-core" in shown
    assert f"page: {page}" in shown


def test_a_page_made_again_links_to_the_same_evidence(saved: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "hil-artifacts" / "test_7").mkdir(parents=True)
    (tmp_path / "hil-artifacts" / "test_7" / "dmesg.txt").touch()
    hil(["report", saved["failed"], "--html", str(tmp_path / "elsewhere" / "page.html")])
    text = (tmp_path / "elsewhere" / "page.html").read_text()
    assert 'href="../hil-artifacts/test_7/dmesg.txt"' in text


def test_hostile_results_cannot_move_the_cursor(saved: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert hil(["report", saved["hostile"]]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_results_that_cannot_be_read_end_with_1_and_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hil(["report", str(tmp_path / "nowhere.json")]) == 1
    shown = capsys.readouterr().err
    assert "cannot be read: No such file" in shown
    assert "remedy: give the JSON file" in shown


def test_no_results_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert hil(["report"]) == 2
    assert "RESULTS.json" in capsys.readouterr().err
