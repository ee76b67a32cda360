"""A board's power switch, as commands of the host."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

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
        self.on(deadline)

    def _run(self, command: Command, deadline: Deadline) -> None:
        shown = f"the power command `{shlex.join(command)}`"
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=deadline.remaining(),
            )
        except OSError as error:
            raise RigError(f"{shown} does not run: {error.strerror}", "mend [power] in the board file") from error
        except subprocess.TimeoutExpired as error:
            raise RigError(f"{shown} did not end in {deadline.seconds:g} s", BY_HAND) from error
        if done.returncode != 0:
            raise RigError(f"{shown} ended with {done.returncode}: {done.stdout.strip()[-500:]}", BY_HAND)
