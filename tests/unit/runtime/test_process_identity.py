"""Processes told apart by pid and start time, and signalled only when they are the ones meant."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_runtime.system import system_calls
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.process_identity import ProcessHandle, is_alive, start_time


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
    named = [sys.executable, "-IS", "-uc", "open('/proc/self/comm', 'w').write(') Z 1 (x'); print(); input()"]
    with subprocess.Popen(named, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        assert Path(f"/proc/{child.pid}/comm").read_text() == ") Z 1 (x\n"
        assert start_time(child.pid) is not None
        child.stdin.close()
    assert start_time(child.pid) is None


def test_signal_mask_comes_back() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    mask = system_calls.block_signals()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    system_calls.set_signal_mask(mask)
    assert {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} <= blocked
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == before


SAME_BOTH_WAYS = """
import ctypes, errno, os, socket, signal, sys, tempfile
hidden = sys.argv[1:]
sys.modules.update(dict.fromkeys(hidden))
from hybrid_runtime.system import system_calls as calls
assert calls.signals.__name__ == ("signal" if "_signal" in hidden else "_signal")
os.chdir(tempfile.mkdtemp())
listener = calls.packet_socket(); listener.bind("s"); listener.listen(1)
assert (type(listener) is socket.socket) == ("_socket" in hidden)
client = calls.packet_socket(); client.connect("s")
server = calls.adopt_socket(calls.accept_descriptor(listener))
client.send(b"hello"); assert server.recv(10) == b"hello"
assert not os.get_inheritable(server.fileno())
reading, writing = os.pipe()
calls.send_descriptor(client, writing, b"take")
data, ancillary, _, _ = server.recvmsg(10, 100)
assert data == b"take"
os.write(int.from_bytes(ancillary[0][2], sys.byteorder), b"through"); assert os.read(reading, 10) == b"through"
mask = calls.block_signals(); assert calls.signals.SIGTERM not in mask; calls.set_signal_mask(mask)
calls.send_signal(os.pidfd_open(os.getpid()), 0)
calls.restore_default_signals()
try: calls.call_c_library("setns", writing, 0)
except OSError as error: assert error.errno == errno.EINVAL, error
else: assert False, "a pipe is no namespace"
assert calls._called_directly("sched_yield", ()) == (-1 if "_ctypes" in hidden else 0)
calls.call_c_library("sched_yield")
os.unlink("s"); os.rmdir(os.getcwd()); print("same")
"""


PRIVATE = ("_socket", "_signal", "_ctypes")


@pytest.mark.parametrize("hidden", [(), *((name,) for name in PRIVATE), PRIVATE], ids=" ".join)
def test_calls_with_and_without_the_private_modules(hidden: tuple[str, ...]) -> None:
    """Where an interpreter has no `_socket`, `_signal` and `_ctypes`, the public modules do the same."""
    package = Path(system_calls.__file__).parents[2]
    script = f"import sys; sys.path.insert(0, {str(package)!r}); sys.dont_write_bytecode = True\n{SAME_BOTH_WAYS}"
    process = subprocess.run([sys.executable, "-c", script, *hidden], capture_output=True, text=True, check=False)
    assert process.stdout == "same\n", process.stderr
