"""A board's power switch, as commands of the host."""

import os
import shlex
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

# So long a board needs to be without power, for its capacitors.
OFF_S = 2.0
BY_HAND = "run it by hand"
Command = tuple[str, ...]


class Power(Protocol):
    """Each raises RigError when the switch refuses or does not answer by the deadline."""

    def on(self, deadline: Deadline) -> None: ...

    def off(self, deadline: Deadline) -> None: ...

    def cycle(self, deadline: Deadline) -> None: ...


@dataclass(frozen=True)
class CommandPower:
    """A switch that programs of the host work, run in `folder`. Without `cycling` power is taken and given again."""

    switching_on: Command
    switching_off: Command
    cycling: Command | None = None
    folder: Path = Path()

    def on(self, deadline: Deadline) -> None:
        self._run(self.switching_on, deadline)

    def off(self, deadline: Deadline) -> None:
        self._run(self.switching_off, deadline)

    def cycle(self, deadline: Deadline) -> None:
        if self.cycling is not None:
            self._run(self.cycling, deadline)
            return
        self.off(deadline)
        time.sleep(OFF_S)
        self.on(deadline)

    def _run(self, command: Command, deadline: Deadline) -> None:
        """In a group of its own, which ends with it when time is up: nothing switches the board behind our back. What
        it says goes to a file, since a daemon it leaves may keep its output open."""
        shown = f"the power command `{shlex.join(command)}`"
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise RigError(f"{shown} does not run: {error.strerror}", "mend [power] in the board file") from error
            try:
                code = process.wait(deadline.remaining())
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                raise RigError(f"{shown} did not end in {deadline.seconds:g} s", BY_HAND) from error
            said.seek(0)
            if code != 0:
                raise RigError(f"{shown} ended with {code}: {said.read().strip()[-500:]}", BY_HAND)
