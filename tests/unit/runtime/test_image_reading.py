"""The process in which images are read: what it may do wrong, and that nothing of it stays."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_runtime.image import reading
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.process_identity import start_time
from tests.unit.runtime.command_runner import eventually

pytestmark = pytest.mark.alone

SLEEP = "import time; time.sleep(600)"


def read(make: Callable[[], str]) -> str:
    return reading._Reader(make).outcome()


def test_the_outcome() -> None:
    mine = os.getpid()
    assert read(lambda: "same" if os.getpid() == mine else "another") == "another"
    assert os.getpid() == mine


def fail() -> str:
    raise Failure("message", "remedy")


def refuse() -> str:
    raise FileNotFoundError(2, "No such file or directory", "/x")


def exhaust() -> str:
    raise MemoryError


def lack_a_module() -> str:
    from no_such_module import nothing  # type: ignore[import-not-found]

    return str(nothing)


def have_a_defect() -> str:
    raise RuntimeError("a defect")


def end() -> str:
    os._exit(0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (fail, r"^message \(remedy\)$"),
        (refuse, "cannot read the image: `/x`: file not found"),
        (lack_a_module, "this Python has no module `no_such_module`"),
        (exhaust, "takes more memory"),
        (have_a_defect, "the process that reads the image died"),
        (end, "the process that reads the image died"),
    ],
)
def test_what_goes_wrong_in_it(make: Callable[[], str], words: str) -> None:
    with pytest.raises(Failure, match=words):
        read(make)


def test_it_may_not_take_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor may what it has started."""
    monkeypatch.setattr(reading, "READING_SECONDS", 3.0)

    def make() -> str:
        with subprocess.Popen([sys.executable, "-IS", "-c", SLEEP]) as started:
            (tmp_path / "pid").write_text(str(started.pid))
        return "done"

    begun = time.monotonic()
    with pytest.raises(Failure, match="not read within 3 s"):
        read(make)
    assert time.monotonic() - begun < 20
    started = int((tmp_path / "pid").read_text())
    eventually(lambda: start_time(started) is None)
