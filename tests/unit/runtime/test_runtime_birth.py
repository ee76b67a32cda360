"""The fork that makes the supervisor: committed, given up, or gone wrong inside."""

import os
import select
import signal
from pathlib import Path

import pytest
from remoteproc_double import ProcessorDouble, RemoteprocDouble

from hybrid_runtime.container.claim import Claim, Journal, take_claim
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.store import HeldFolder
from hybrid_runtime.failure import Failure
from hybrid_runtime.machine import Machine
from hybrid_runtime.supervisor.birth import Birth, pid_file_in_making, remove_pid_file
from hybrid_runtime.supervisor.control import listen
from hybrid_runtime.supervisor.supervisor import close_all_but

pytestmark = pytest.mark.alone


@pytest.fixture
def double(tmp_path: Path) -> RemoteprocDouble:
    """Whose thread does not run: nothing is started here."""
    return RemoteprocDouble(tmp_path / "machine")


@pytest.fixture
def claim(double: RemoteprocDouble, core: ProcessorDouble) -> Claim:
    claim = take_claim(Machine(str(double.sysroot)), core.device)
    assert claim is not None
    return claim


@pytest.fixture
def birth(claim: Claim, double: RemoteprocDouble) -> Birth:
    folder = double.root / "motor"
    folder.mkdir(parents=True)
    journal = Journal(str(double.root), "motor")
    journal.firmware_file = str(double.firmware_folder / "fw")
    Path(journal.firmware_file).write_bytes(b"firmware")
    claim.write_journal(journal)
    birth = Birth(claim, journal, Record("motor", "", ""), HeldFolder(str(folder)), listen(str(folder)))
    birth.keeps_streams = False
    return birth


def test_given_up(birth: Birth, claim: Claim, double: RemoteprocDouble, tmp_path: Path) -> None:
    birth.pid_file = str(tmp_path / "pid")
    birth.fork()
    (tmp_path / "pid").write_text(f"{birth.pid}\n")
    Path(pid_file_in_making(birth.pid_file, birth.pid)).write_text("")
    assert birth.record.pid == birth.journal.pid == birth.pid
    assert birth.record.pid_start_time > 0
    assert birth.cancel()
    assert double.leftovers() == []
    assert not list(tmp_path.glob("pid*"))
    claim.close()


@pytest.mark.parametrize("step", ["_settle", "_settle_root"])
def test_the_supervisor_is_ready_when_it_has_settled(
    birth: Birth, claim: Claim, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It stands still at that step, and create waits: hooks and the pid file come after the word."""
    settle = getattr(Birth, step)

    def held(self: Birth) -> bytes:
        os.kill(os.getpid(), signal.SIGSTOP)
        answer: bytes = settle(self)
        return answer

    monkeypatch.setattr(Birth, step, held)
    birth.fork()
    try:
        assert os.WIFSTOPPED(os.waitpid(birth.pid, os.WUNTRACED)[1])
        assert not select.select([birth.ready_descriptor], [], [], 0)[0]
    finally:
        os.kill(birth.pid, signal.SIGCONT)
    birth.wait_until_ready()
    assert birth.cancel()
    claim.close()


def test_failure_inside_never_returns_into_the_creator(
    birth: Birth, claim: Claim, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(Birth, "_live", broken)
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    birth.fork()
    assert os.waitstatus_to_exitcode(os.waitpid(birth.pid, 0)[1]) == 1
    # Nothing is forgotten: the journal tells the next holder.
    assert double.journals() == ["remoteproc0.journal"]
    assert double.installed() == ["fw"]
    with pytest.raises(Failure, match="the supervisor died"):
        birth.wait_until_ready()
    with pytest.raises(Failure, match="the supervisor died"):
        birth.commit()
    os.close(birth.commit_descriptor)
    claim.close()


def test_pid_file_of_another_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("123")
    remove_pid_file(str(path), 12)
    assert path.exists()
    remove_pid_file(str(path), 123)
    assert not path.exists()
    remove_pid_file(str(path), 123)
    remove_pid_file("", 123)


def test_close_all_but() -> None:
    """In a child, since it closes what pytest needs."""
    pid = os.fork()
    if pid == 0:
        kept, closed = os.pipe()
        high = os.dup2(kept, 200)
        close_all_but({kept, high})
        left = [number for number in range(3, 300) if is_open(number)]
        os._exit(0 if left == [kept, high] and not is_open(closed) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
