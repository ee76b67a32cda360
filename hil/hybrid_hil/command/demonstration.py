"""The whole life of a firmware on a core, told step by step and proven at the end."""

import shlex
import time
from dataclasses import dataclass

from rich.console import Console as Terminal
from rich.markup import escape

from hybrid_hil.console.record import printable
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import CoreStart, UnprovenError, Witness
from hybrid_hil.device.rig import Rig
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.shell import Completed

CONTAINER = "demo"
PROOF_S = 10.0
BEATS = 5


@dataclass(frozen=True)
class ProvenLife:
    """What was proven, and how long the life took in seconds."""

    start: CoreStart
    silence_s: float
    duration_s: float


class Demonstration:
    """create → start → logs → state → kill → delete of a heartbeat, with what the core itself says."""

    def __init__(self, rig: Rig, terminal: Terminal) -> None:
        self._rig = rig
        self._terminal = terminal
        self._runtime = DeployedRuntime(rig.board.shell)
        self._witness = Witness(rig.board.core_console)
        self._shown = rig.board.core_console.mark()

    def run(self) -> ProvenLife:
        """Plays it.

        Raises:
            RigError: a command failed.
            UnprovenError: nothing proves that the core ran, or that it stopped.
        """
        begun = time.monotonic()
        firmware = self._rig.firmware("heartbeat")
        self._say(f"firmware `{firmware.name}` for {firmware.processor}, nonce [bold]{firmware.nonce}[/bold]")
        self._show("processors")
        start = self._live(firmware)
        silence = self._die(firmware)
        return ProvenLife(start, silence, time.monotonic() - begun)

    def _live(self, firmware: BuiltFirmware) -> CoreStart:
        processor = f"remoteproc.name={firmware.processor}"
        self._show("create", "--annotation", processor, firmware.path_on_board, CONTAINER)
        self._show("start", CONTAINER)
        start = self._witness.started(firmware, Deadline(PROOF_S))
        self._witness.beating(firmware, Deadline(PROOF_S), BEATS)
        self._hear()
        self._witness.logged(self._show("logs", CONTAINER).stdout.splitlines(), firmware)
        self._await_status("running")
        self._show("state", CONTAINER)
        return start

    def _die(self, firmware: BuiltFirmware) -> float:
        self._show("kill", CONTAINER, "TERM")
        self._await_status("stopped")
        self._hear(last=2)
        silence = self._witness.silent(firmware)
        self._say(f"  [cyan]core says │ nothing for {silence:.1f} s[/cyan]")
        self._show("state", CONTAINER)
        self._show("delete", CONTAINER)
        self._show("processors")
        return silence

    def _await_status(self, wanted: str) -> None:
        """Asks for the state until it is the wanted one."""
        status = ""
        deadline = Deadline(PROOF_S)
        for _ in deadline.ticks(0.1):
            status = str(self._runtime.state(CONTAINER)["status"])
            if status == wanted:
                return
        raise UnprovenError(f"the container is {wanted}", f"its status is `{status}`")

    def _show(self, *words: str) -> Completed:
        """Runs one command of the runtime, shown with what it prints and how long it took."""
        self._terminal.print(f"\n[bold]$ hybrid-runtime {escape(shlex.join(words))}[/bold]")
        done = self._runtime.run(*words)
        for line in (done.stdout + done.stderr).splitlines():
            self._terminal.print(f"  {escape(printable(line))}")
        self._terminal.print(f"  [dim]{done.duration_s:.2f} s[/dim]")
        return done

    def _hear(self, last: int | None = None) -> None:
        """Shows what the cores said since the last time."""
        console = self._rig.board.core_console
        since, self._shown = self._shown, console.mark()
        lines = [line for line in console.lines(since) if line.text]
        for line in lines if last is None else lines[-last:]:
            self._terminal.print(f"  [cyan]core says │ {escape(printable(line.text))}[/cyan]")

    def _say(self, text: str) -> None:
        self._terminal.print(text)
