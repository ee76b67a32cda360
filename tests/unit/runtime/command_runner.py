"""Runs the deployed command as engines do: in a process of its own, with files for its output, as a subreaper."""

import atexit
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from tests.unit.runtime.fork_server import ForkServer
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

PATIENCE_SECONDS = 20.0
# of linux prctl.h
PR_SET_CHILD_SUBREAPER = 36


def deploy(source: Path, target: Path, interpreter: str | None = None) -> Path:
    """Copies the runtime, for `interpreter` if it is to be another than its first line names, and compiles it with
    that. Returns the command."""
    runtime = target / "hybrid-runtime"
    shutil.copytree(source, runtime, ignore=shutil.ignore_patterns("__pycache__"))
    launcher = runtime / "bin/hybrid-runtime"
    if interpreter:
        launcher.write_text(launcher.read_text().replace(interpreter_of(launcher), interpreter, 1))
    compilation = ["-IS", "-m", "compileall", "-q", "--invalidation-mode", "timestamp"]
    subprocess.run([interpreter_of(launcher), *compilation, str(runtime / "hybrid_runtime")], check=True)
    return launcher


def interpreter_of(launcher: Path) -> str:
    """The one that the kernel starts for it."""
    return launcher.read_text().splitlines()[0].removeprefix("#!").split()[0]


def adopt_orphans() -> None:
    """Supervisors become our children when create ends, and their exit codes ours to read."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def eventually(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Fails the test unless the condition holds within the time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        pause.wait(0.005)


def attempt(call: Callable[[], T], refusal: type[E]) -> T | E:
    """What the call returns, or the one exception it may raise."""
    try:
        return call()
    except refusal as error:
        return error


class Outcome:
    """`stdout` and `stderr` are read when asked for: a container that keeps them goes on writing."""

    def __init__(self, code: int, stdout: Path, stderr: Path) -> None:
        self.code = code
        self.stdout_path = stdout
        self.stderr_path = stderr

    @property
    def paths(self) -> tuple[Path, Path]:
        return self.stdout_path, self.stderr_path

    @property
    def stdout(self) -> str:
        return self.stdout_path.read_text()

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text()

    def __repr__(self) -> str:
        return f"exit code {self.code}, stdout {self.stdout!r}, stderr {self.stderr!r}"


@cache
def fork_server() -> ForkServer:
    """The one of this process, until its end."""
    server = ForkServer()
    atexit.register(server.close)
    return server


class Command:
    """hybrid-runtime on the machine of a double."""

    def __init__(self, launcher: Path, double: RemoteprocDouble, folder: Path) -> None:
        self.launcher = launcher
        self.double = double
        self.folder = folder
        self.numbers = count()

    def argv(self, *args: str | Path) -> list[str]:
        return [str(self.launcher), "--sysroot", str(self.double.sysroot), *map(str, args)]

    def spawn(
        self, *args: str | Path, prefix: tuple[str, ...] = (), cwd: Path | None = None
    ) -> tuple["subprocess.Popen[bytes]", Outcome]:
        """Not waited for; the outcome's code is -1."""
        number = next(self.numbers)
        outcome = Outcome(-1, self.folder / f"{number}.out", self.folder / f"{number}.err")
        with outcome.stdout_path.open("wb") as stdout, outcome.stderr_path.open("wb") as stderr:
            process = subprocess.Popen(
                [*prefix, *self.argv(*args)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={},
                cwd=cwd,
            )
        return process, outcome

    def run(self, *args: str | Path, code: int | None = 0, cwd: Path | None = None) -> Outcome:
        """Without any environment. Fails the test unless it ends with that code; None takes any."""
        process, outcome = self.spawn(*args, cwd=cwd)
        outcome.code = process.wait(PATIENCE_SECONDS)
        assert code is None or outcome.code == code, f"{args}: {outcome}"
        assert "Traceback" not in outcome.stderr, outcome.stderr
        return outcome

    def forked(self, *args: str | Path) -> Outcome:
        """As `run`, any code, without the interpreter's start, for many calls. Waits for the verb."""
        outcome = Outcome(-1, self.folder / "forked.out", self.folder / "forked.err")
        outcome.code = fork_server().run(["--sysroot", str(self.double.sysroot), *map(str, args)], *outcome.paths)
        return outcome

    def reap(self) -> None:
        """Every child that has ended, such as supervisors; not beside processes that somebody still waits for."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return

    def state(self, identifier: str) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.run("state", identifier).stdout)
        return state

    def status(self, identifier: str) -> str:
        return str(self.state(identifier)["status"])

    def record(self, identifier: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.double.root / identifier / "record.json").read_bytes())
        return record

    def create(self, firmware: Path, identifier: str, *options: str, annotations: Mapping[str, str] = {}) -> int:
        """The pid of the supervisor."""
        pairs = [word for key, value in annotations.items() for word in ("--annotation", f"{key}={value}")]
        self.run("create", *options, *pairs, firmware, identifier)
        pid: int = self.record(identifier)["pid"]
        return pid

    def exit_code(self, pid: int, seconds: float = PATIENCE_SECONDS) -> int:
        """Of a container, as its shim sees it: 128 + N for a signal."""
        descriptor = os.pidfd_open(pid)
        try:
            assert select.select([descriptor], [], [], seconds)[0], f"process {pid} is still there after {seconds} s"
        finally:
            os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def end_containers(self) -> None:
        """Those whose records or journals still name a child of ours."""
        paths = [*self.double.root.glob("*/record.json"), *self.double.claims.glob("*.journal")]
        for path in paths:
            try:
                pid = json.loads(path.read_bytes()).get("pid")
            except (OSError, ValueError):
                # Ending by itself this moment, or damaged by the test.
                continue
            if isinstance(pid, int) and 0 < pid < 1 << 22 and is_child(pid):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def is_child(pid: int) -> bool:
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
