"""Mutants are judged by what their tests did, in small checkouts; the lists themselves are tried in tests/mutants."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.host.checkout import checkout_root
from tests.checkout_copy import copy_checkout, environment_in
from tests.mutants.baseline import Baseline, run_baseline
from tests.mutants.mutant import EntryError, Mutant, parse_mutant, read_mutants
from tests.mutants.trial import Ending, Report, run_tests

TESTS = """
import os, subprocess, sys, time
import pytest

def test_good(): pass
def test_bad(): assert False
@pytest.mark.parametrize("number", [1, 2])
def test_each(number): assert number < 3
@pytest.fixture
def broken(): raise OSError("broken")
def test_fixture(broken): pass
def test_skipped(): pytest.skip("not here")
def test_hangs(): time.sleep(600)
def test_dies(): os._exit(1)
def test_leaves(tmp_path):
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open("left", "w") as file: file.write(str(left.pid))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """With one file of tests, and one that cannot be collected."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (folder / "test_it.py").write_text(TESTS)
    (folder / "test_rubbish.py").write_text("def test_never(): pass\nraise OSError\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    ("tests", "ending"),
    [
        (["test_it.py::test_good"], Ending.PASSED),
        (["test_it.py::test_good", "test_it.py::test_bad"], Ending.TEST),
        (["test_it.py::test_fixture"], Ending.FIXTURE),
        (["test_rubbish.py"], Ending.COLLECTION),
        (["test_it.py::test_dies"], Ending.BROKEN),
        (["test_it.py::test_none"], Ending.BROKEN),
    ],
)
def test_how_a_run_ends(checkout: Path, folder: Path, tests: list[str], ending: Ending) -> None:
    assert run_tests(checkout, folder, ["-x", *tests], 120).ending is ending


def test_a_run_that_hangs_is_cut(checkout: Path, folder: Path) -> None:
    trial = run_tests(checkout, folder, ["-x", "test_it.py::test_hangs"], 4)
    assert (trial.code, trial.ending) == (None, Ending.HANG)


def test_what_a_run_has_left_is_ended(checkout: Path, folder: Path) -> None:
    assert run_tests(checkout, folder, ["test_it.py::test_leaves"], 120).ending is Ending.PASSED
    assert not Path("/proc", (checkout / "left").read_text()).exists()


def test_only_tests_that_pass_without_a_mutant_tell_anything(checkout: Path, folder: Path) -> None:
    names = ["good", "bad", "each", "fixture", "skipped", "none"]
    tests = [*(f"test_it.py::test_{name}" for name in names), "test_rubbish.py::test_never", "test_no.py::test_no"]
    baseline = run_baseline(checkout, folder, tests)
    reasons = {test: baseline.against(test) for test in tests}
    assert [test for test, reason in reasons.items() if not reason] == [
        "test_it.py::test_good",
        "test_it.py::test_each",
    ]
    assert "fails without the mutant, at its call" in reasons["test_it.py::test_bad"]
    assert "fails without the mutant, at its setup" in reasons["test_it.py::test_fixture"]
    assert "was skipped" in reasons["test_it.py::test_skipped"]
    for absent in ("test_it.py::test_none", "test_rubbish.py::test_never", "test_no.py::test_no"):
        assert "there is no test" in reasons[absent]


def test_a_test_is_no_other_that_begins_like_it() -> None:
    baseline = Baseline((Report("test_it.py::test_goodness", "call", "passed", 2.0),))
    assert baseline.against("test_it.py::test_good") == "there is no test `test_it.py::test_good`"
    assert baseline.seconds(["test_it.py::test_good"]) == 0.0
    assert baseline.seconds(["test_it.py::test_goodness"]) == 2.0


ENTRY: dict[str, object] = {
    "name": "lies",
    "file": "code.py",
    "from": "True",
    "to": "False",
    "tests": ["tests/unit/test_it.py::test_good"],
    "why": "truth matters",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "no text, or empty"),
        ({"why": ""}, "no text, or empty"),
        ({"to": 3}, "no text, or empty"),
        ({"to": "True"}, "are the same"),
        ({"tests": []}, "no list of FILE::TEST"),
        ({"tests": "tests/unit/test_it.py::test_good"}, "no list of FILE::TEST"),
        ({"tests": ["tests/unit/test_it.py"]}, "no list of FILE::TEST"),
        ({"ends": "well"}, "`ends` is none of"),
        ({"ends": "passed"}, "`ends` is none of"),
        ({"test": ["x::y"]}, "field `test` is missing or unknown"),
    ],
)
def test_entries_that_are_none(change: dict[str, object], message: str) -> None:
    with pytest.raises(EntryError, match=message):
        parse_mutant(ENTRY | change)


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_every_field_is_needed(field: str) -> None:
    with pytest.raises(EntryError, match="is missing or unknown"):
        parse_mutant({key: value for key, value in ENTRY.items() if key != field})


def test_an_entry() -> None:
    assert parse_mutant(ENTRY | {"to": "", "ends": "hang"}) == Mutant(
        "lies", "code.py", "True", "", ("tests/unit/test_it.py::test_good",), "truth matters", Ending.HANG
    )
    assert not parse_mutant(ENTRY).needs_board
    assert parse_mutant(ENTRY | {"tests": ["tests/unit/test_it.py::x", "tests/rig/test_it.py::x"]}).needs_board


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good = True\n", ""),
        ("good = 1\n", "0 times, not once"),
        ("True, True\n", "2 times, not once"),
        (None, "no `code"),
    ],
)
def test_text_stands_there_exactly_once(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "code.py").write_text(text)
    if not message:
        parse_mutant(ENTRY).apply(tmp_path)
        assert (tmp_path / "code.py").read_text() == "good = False\n"
        return
    with pytest.raises(EntryError, match=message):
        parse_mutant(ENTRY).apply(tmp_path)


def test_no_two_entries_have_one_name(tmp_path: Path) -> None:
    entry = '[[mutant]]\nname = "a"\nfile = "f"\nfrom = "x"\nto = "y"\ntests = ["t::t"]\nwhy = "w"\n'
    (tmp_path / "one.toml").write_text(entry)
    assert [str(mutant) for mutant in read_mutants(tmp_path)] == ["f:a"]
    (tmp_path / "two.toml").write_text(entry)
    with pytest.raises(EntryError, match="two entries are called `f:a`"):
        read_mutants(tmp_path)
    (tmp_path / "two.toml").write_text(entry.replace("why", "because"))
    with pytest.raises(EntryError, match=r"`two\.toml`, entry 1: field `why`"):
        read_mutants(tmp_path)


def test_the_lists_fit_the_checkout(tmp_path: Path) -> None:
    """What a trial would tell first, for all of them in a second."""
    mutants = read_mutants()
    assert len(mutants) >= 60
    for mutant in mutants:
        copied = tmp_path / mutant.file
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes((checkout_root() / mutant.file).read_bytes())
        mutant.apply(tmp_path)


def test_a_copy_has_what_is_not_committed_and_nothing_that_is_ignored(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".gitignore").write_text("/out\n")
    (checkout / "out").write_text("")
    (checkout / "removed").write_text("")
    (checkout / "link").symlink_to("nowhere")
    (checkout / "tool").write_text("")
    (checkout / "tool").chmod(0o755)
    subprocess.run(["git", "init", "-q", checkout], check=True)
    subprocess.run(["git", "-C", checkout, "add", "."], check=True)
    (checkout / "removed").unlink()
    (checkout / "new").write_text("new")
    (checkout / "pyproject.toml").write_text("changed")
    copy = tmp_path / "copy"
    copy_checkout(checkout, copy)
    names = {".gitignore", "link", "new", "pyproject.toml", "test_it.py", "test_rubbish.py", "tool"}
    assert {path.name for path in copy.iterdir()} == names
    assert (copy / "pyproject.toml").read_text() == "changed"
    assert (copy / "link").is_symlink()
    assert os.access(copy / "tool", os.X_OK)


def test_a_run_in_a_copy_knows_nothing_of_this_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HYBRID_CHECKOUT", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTHONPATH"):
        monkeypatch.setenv(name, "/elsewhere")
    given = environment_in(tmp_path, Path("/more"))
    assert "/elsewhere" not in given.values()
    assert given["PYTHONPATH"] == f"{tmp_path}/hil:{tmp_path}/runtime:/more"


def test_an_interrupted_trial_ends_its_tests(checkout: Path, folder: Path) -> None:
    lines = f"""
from pathlib import Path
from tests.mutants.trial import run_tests
run_tests(Path({str(checkout)!r}), Path({str(folder)!r}), ["-s", "test_it.py::test_hangs"], 600)
"""
    paths = os.pathsep.join(str(checkout_root() / name) for name in (".", "hil"))
    here = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, "-c", lines], env=here, stderr=subprocess.DEVNULL) as run:
        reports = folder / "reports.jsonl"
        assert any(reports.exists() and '"setup"' in reports.read_text() for _ in Deadline(60).ticks(0.1))
        run.send_signal(signal.SIGINT)
        assert run.wait(60) != 0
    assert "KeyboardInterrupt" in (folder / "output.log").read_text()
