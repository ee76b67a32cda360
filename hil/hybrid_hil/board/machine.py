"""One run of QEMU: a process that never outlives the rig, and the lines into it."""

import os
import select
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hybrid_hil.board.command_line import Wires
from hybrid_hil.board.qmp import Qmp
from hybrid_hil.board.run_folder import filling, is_full, no_space
from hybrid_hil.board.standstill import Standstill
from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import Console
from hybrid_hil.console.serial_line import SocketLine
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

SAID = "qemu.log"
# Of a QEMU that has hung up: it gives a gigabyte back before it ends.
CAUSE_S = 10.0
AUXILIARY_MODEL = "cortex-r"
# setpriority(2): where both want a CPU, one of Linux' cores gets 28 times as much of it.
AUXILIARY_NICE = 15


class Machine:
    """A QEMU that runs. Its death and its standstill are reported to `health` at once, unless they were wanted."""

    def __init__(self, folder: Path, health: BoardHealth, console: Console, core_console: Console) -> None:
        self._folder = folder
        self._health = health
        self._console = console
        self._core_console = core_console
        self._standstill = Standstill(folder)
        self._wanted = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._qmp: Qmp | None = None
        self.port = 0

    @property
    def wires(self) -> Wires:
        return Wires(self._folder / "console.sock", self._folder / "core.sock", self._folder / "qmp.sock")

    @property
    def pid(self) -> int:
        """The process id of QEMU, 0 before `start`."""
        return self._process.pid if self._process else 0

    @property
    def said(self) -> str:
        """What QEMU itself complained of, its end if that is long."""
        path = self._folder / SAID
        return complaints(path.read_text(errors="replace"))[-1000:] if path.exists() else ""

    @property
    def evidence(self) -> list[str]:
        """What a failed boot is told with. A guest that hangs and a QEMU without a turn look alike on the console."""
        lines = [f"QEMU said: {self.said}"] if self.said else []
        used = processor_seconds(self.pid)
        if used is not None:
            lines.append(f"QEMU has had {used:.1f} s of processor time, the host's load is {os.getloadavg()[0]:.1f}")
        return lines

    def start(self, command: list[str], deadline: Deadline) -> None:
        """Starts QEMU and connects consoles, QMP and the forwarded port.

        Raises:
            RigError: QEMU ended or did not connect by the deadline.
        """
        with ExitStack() as stack:
            wires = self.wires
            with filling(self._folder):
                listeners = [
                    stack.enter_context(_Listener(path)) for path in (wires.console, wires.core_console, wires.qmp)
                ]
                self._process = self._spawn(command)
            self._watcher = threading.Thread(target=self._watch, name="qemu watcher", daemon=True)
            with _pidfd(self._process.pid) as pidfd:
                self._watcher.start()
                accepted = [listener.accept(pidfd, deadline, self._end_at_start) for listener in listeners]
        self._console.attach(SocketLine(accepted[0]))
        self._core_console.attach(SocketLine(accepted[1]))
        try:
            self._qmp = Qmp(accepted[2], deadline, Standstill.heard, self._hear)
            self.port = self._qmp.forwarded_port(deadline)
            self._let_linux_go_first(self._qmp, deadline)
        except RigError as error:
            # QEMU connects its lines first of all, and may still find fault with the rest
            self._health.wait(CAUSE_S)
            raise RigError(self._health.cause or error.message, error.remedy) from error

    def command(self, line: str, deadline: Deadline) -> None:
        """A line of QEMU's own monitor, which says nothing when all is well. Raises RigError for what it says."""
        if self._qmp is None:
            raise RigError("QEMU is not running")
        said = str(self._qmp.execute("human-monitor-command", deadline, **{"command-line": line})).strip()
        if said:
            raise RigError(f"QEMU does not `{line}`: {said}")

    @contextmanager
    def standing_still(self, deadline: Deadline) -> Iterator[None]:
        """The guest's processors are halted meanwhile, and its disk is up to date."""
        self.command("stop", deadline)
        try:
            yield
        finally:
            self.command("cont", deadline)

    def stop(self) -> None:
        """Kills QEMU; the consoles keep what they recorded."""
        self._wanted.set()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        # An interrupt may have come before the watcher began.
        if self._watcher is not None and self._watcher.ident is not None:
            self._watcher.join()
        if self._qmp is not None:
            self._qmp.close()
        self._console.detach()
        self._core_console.detach()

    def wait(self) -> int:
        """Waits for QEMU's end and returns its exit status."""
        if self._process is None:
            return 0
        return self._process.wait()

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Starts QEMU so that the kernel kills it when the thread that calls this dies.

        A session of its own keeps a terminal's Ctrl-C from it: the rig puts it away itself. Should this
        process die before setpriv has asked for the signal, QEMU finds nobody listening and ends.
        """
        setpriv = shutil.which("setpriv")
        if setpriv is None or shutil.which(command[0]) is None:
            missing = "setpriv" if setpriv is None else command[0]
            raise RigError(f"`{missing}` is not installed", "hil doctor shows what to install", exit_code=2)
        with (self._folder / SAID).open("wb") as said:
            return subprocess.Popen(
                [setpriv, "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "TMPDIR": str(self._folder)},
            )

    def _let_linux_go_first(self, qmp: Qmp, deadline: Deadline) -> None:
        """Firmware polls where it would sleep on hardware: an auxiliary core takes what Linux's cores leave."""
        for thread, model in qmp.processor_threads(deadline).items():
            if model.startswith(AUXILIARY_MODEL):
                # Only root may take some of it back.
                nice = max(AUXILIARY_NICE, os.getpriority(os.PRIO_PROCESS, thread))
                os.setpriority(os.PRIO_PROCESS, thread, nice)

    def _watch(self) -> None:
        returncode = self.wait()
        if self._wanted.is_set():
            return
        self._console.drained(1)
        self._core_console.drained(1)
        self._health.report(self._exit_text(returncode))

    def _hear(self, event: Mapping[str, object]) -> None:
        cause = self._standstill.cause(event)
        if cause is not None:
            self._health.report(cause)

    def _end_at_start(self) -> RigError:
        return RigError(self._exit_text(self.wait()))

    def _exit_text(self, returncode: int) -> str:
        """A QEMU that finds no space could not even say so."""
        unsaid = no_space(self._folder) if returncode > 0 and not self.said and is_full(self._folder) else ""
        return exit_text(returncode, self.said or unsaid)


class _Listener:
    """A unix socket that waits for QEMU's one connection; its file goes once that has come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(1)

    def __enter__(self) -> "_Listener":
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def accept(self, pidfd: int, deadline: Deadline, ended: Callable[[], RigError]) -> socket.socket:
        """The connection, unless the process of `pidfd` ends first."""
        mine = self._socket.fileno()
        ready, _, _ = select.select([mine, pidfd], [], [], deadline.remaining())
        if mine in ready:
            return self._socket.accept()[0]
        if pidfd in ready:
            raise ended()
        raise RigError(f"QEMU did not connect to `{self._path.name}` in {deadline.seconds:g} s")


class _pidfd:  # noqa: N801  named after the kernel's word for it
    """A descriptor that becomes readable when the process ends."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)


def processor_seconds(pid: int) -> float | None:
    """The time on a processor that a process has had (proc_pid_stat(5)), None once it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # utime and stime are fields 14 and 15, and the fields here begin with the third.
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def complaints(text: str) -> str:
    """QEMU's words without the two it says at every start: the machine's own network cards are not wired."""
    return "\n".join(line for line in text.splitlines() if line.strip() and not line.endswith("has no peer"))


def exit_text(returncode: int, said: str) -> str:
    """How QEMU ended, in words; `returncode` as subprocess gives it."""
    how = f"was killed by signal {-returncode}" if returncode < 0 else f"ended with {returncode}"
    return f"QEMU {how}{f': {said}' if said else ''}"


def is_power_off(cause: str) -> bool:
    """Whether `cause`, the text of an exit or a panic, is the guest's own wish, whatever QEMU had warned of before.

    QEMU ends with 0 after SIGTERM as well, but says so.
    """
    return cause.startswith(exit_text(0, "")) and "terminating on signal" not in cause
