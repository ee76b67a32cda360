"""Processes told apart by pid and start time, and signalled only when they are the ones meant."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from hybrid_runtime import system_calls
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.process_identity import ProcessHandle, is_alive, start_time


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_ourselves() -> None:
    started = start_time(os.getpid())
    assert started is not None
    assert is_alive(os.getpid(), started)
    assert not is_alive(os.getpid(), started + 1)


@pytest.mark.parametrize("pid", [0, -1, 1 << 22, 1 << 80])
def test_no_process(pid: int) -> None:
    assert not is_alive(pid, 1)
    assert ProcessHandle.open(pid, 1) is None


def test_zombie_is_gone(child: "subprocess.Popen[bytes]") -> None:
    started = start_time(child.pid)
    assert started is not None
    handle = ProcessHandle.open(child.pid, started)
    assert handle is not None
    with handle:
        assert not handle.wait_until_gone(Deadline(0))
        assert handle.send(signal.SIGKILL)
        assert handle.wait_until_gone(Deadline(10))
        # Not reaped yet, and yet nothing that could be stopped.
        assert start_time(child.pid) is None
        assert ProcessHandle.open(child.pid, started) is None
        child.wait()
        assert not handle.send(signal.SIGKILL)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle.descriptor)


def test_other_start_time_is_another_process(child: "subprocess.Popen[bytes]") -> None:
    started = start_time(child.pid)
    assert started is not None
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert ProcessHandle.open(child.pid, started - 1) is None
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_names_that_look_like_fields() -> None:
    """proc_pid_stat(5): the name stands in parentheses and may hold any."""
    waiting, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(done)
        with open("/proc/self/comm", "w") as name:  # noqa: PTH123
            name.write(") Z 1 (x")
        os.read(waiting, 1)
        os._exit(0)
    os.close(waiting)
    assert start_time(pid) is not None
    os.close(done)
    os.waitpid(pid, 0)
    assert start_time(pid) is None


def test_signal_mask_comes_back() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    mask = system_calls.block_signals()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    system_calls.set_signal_mask(mask)
    assert {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} <= blocked
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == before


def test_sockets_without_the_private_module() -> None:
    """Where an interpreter has no `_socket` and `_signal`, the public modules do the same."""
    script = (
        "import sys; sys.modules['_socket_blocked'] = None\n"
        "import builtins, socket, signal\n"
        "real = builtins.__import__\n"
        "def refuse(name, *rest):\n"
        "    if name in ('_socket', '_signal'): raise ImportError(name)\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = refuse\n"
        "from hybrid_runtime import system_calls as calls\n"
        "assert calls.Socket is socket.socket and calls.signals is signal\n"
        "import tempfile, os\n"
        "os.chdir(tempfile.mkdtemp())\n"
        "listener = calls.packet_socket(); listener.bind('s'); listener.listen(1)\n"
        "client = calls.packet_socket(); client.connect('s')\n"
        "server = calls.adopt_socket(calls.accept_descriptor(listener))\n"
        "client.send(b'hello'); assert server.recv(10) == b'hello'\n"
        "mask = calls.block_signals(); calls.set_signal_mask(mask)\n"
        "os.unlink('s'); os.rmdir(os.getcwd()); print('same')\n"
    )
    package = os.path.dirname(os.path.dirname(system_calls.__file__))  # noqa: PTH120
    interpreter = ["/usr/bin/env", f"PYTHONPATH={package}", "PYTHONDONTWRITEBYTECODE=1", "python3", "-c", script]
    assert subprocess.run(interpreter, check=True, capture_output=True).stdout == b"same\n"
