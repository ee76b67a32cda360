"""The fork that makes the supervisor: committed, given up, or gone wrong inside."""

import os
import select
import signal
from pathlib import Path

import pytest

from hybrid_runtime.container.claim import Claim, Journal, take_claim
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.store import HeldFolder
from hybrid_runtime.supervisor.control import listen
from hybrid_runtime.supervisor.spawn import Spawn, pid_file_in_making, remove_pid_file
from hybrid_runtime.supervisor.supervisor import close_all_but
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

pytestmark = pytest.mark.alone


@pytest.fixture
def double(tmp_path: Path) -> RemoteprocDouble:
    """Whose thread does not run: nothing is started here."""
    return RemoteprocDouble(tmp_path / "machine")


@pytest.fixture
def claim(double: RemoteprocDouble, core: ProcessorDouble) -> Claim:
    claim = take_claim(SystemPaths(str(double.sysroot)), core.device)
    assert claim is not None
    return claim


@pytest.fixture
def spawn(claim: Claim, double: RemoteprocDouble) -> Spawn:
    folder = double.root / "motor"
    folder.mkdir(parents=True)
    journal = Journal(str(double.root), "motor")
    journal.firmware_file = str(double.firmware_folder / "fw")
    Path(journal.firmware_file).write_bytes(b"firmware")
    claim.write_journal(journal)
    spawn = Spawn(claim, journal, Record("motor", "", ""), HeldFolder(str(folder)), listen(str(folder)))
    spawn.keeps_streams = False
    return spawn


def test_given_up(spawn: Spawn, claim: Claim, double: RemoteprocDouble, tmp_path: Path) -> None:
    spawn.pid_file = str(tmp_path / "pid")
    spawn.fork()
    (tmp_path / "pid").write_text(f"{spawn.pid}\n")
    Path(pid_file_in_making(spawn.pid_file, spawn.pid)).write_text("")
    assert spawn.record.pid == spawn.journal.pid == spawn.pid
    assert spawn.record.pid_start_time > 0
    assert spawn.cancel()
    assert double.leftovers() == []
    assert not list(tmp_path.glob("pid*"))
    claim.close()


@pytest.mark.parametrize("step", ["_settle", "_settle_root"])
def test_the_supervisor_is_ready_when_it_has_settled(
    spawn: Spawn, claim: Claim, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It stands still at that step, and create waits: hooks and the pid file come after the word."""
    settle = getattr(Spawn, step)

    def held(self: Spawn) -> bytes:
        os.kill(os.getpid(), signal.SIGSTOP)
        answer: bytes = settle(self)
        return answer

    monkeypatch.setattr(Spawn, step, held)
    spawn.fork()
    try:
        assert os.WIFSTOPPED(os.waitpid(spawn.pid, os.WUNTRACED)[1])
        assert not select.select([spawn.ready_descriptor], [], [], 0)[0]
    finally:
        os.kill(spawn.pid, signal.SIGCONT)
    spawn.wait_until_ready()
    assert spawn.cancel()
    claim.close()


def test_failure_inside_never_returns_into_the_creator(
    spawn: Spawn, claim: Claim, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(Spawn, "_live", broken)
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    spawn.fork()
    assert os.waitstatus_to_exitcode(os.waitpid(spawn.pid, 0)[1]) == 1
    # Nothing is forgotten: the journal tells the next holder.
    assert double.journals() == ["remoteproc0.journal"]
    assert double.installed() == ["fw"]
    with pytest.raises(Failure, match="the supervisor died"):
        spawn.wait_until_ready()
    with pytest.raises(Failure, match="the supervisor died"):
        spawn.commit()
    os.close(spawn.commit_descriptor)
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
