"""Long-running programs on the board: brought up when a test needs them, killed when a test wants that."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from hybrid_hil.deadline import Deadline
from hybrid_hil.shell import Shell

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
READY_S = 120.0
ANSWER_S = 10
GONE_S = 30.0
BETWEEN_LOOKS_S = 0.2


@dataclass(frozen=True)
class Daemon:
    """`command` runs until it is stopped; `ready` succeeds once it serves."""

    shell: Shell
    name: str
    command: str
    ready: str

    @property
    def log(self) -> str:
        return f"/tmp/{self.name}.log"

    def ensure(self) -> None:
        """Runs and serves afterwards, whatever the test before has done to it."""
        if self.serves():
            return
        self.kill()
        self.shell.run(f"setsid {self.command} >>{self.log} 2>&1 </dev/null & echo $! >{self._pid_file}")
        deadline = Deadline(READY_S)
        for _ in deadline.ticks(BETWEEN_LOOKS_S):
            if self.serves():
                return
        raise AssertionError(f"{self.name} does not serve: {self.shell.run(['tail', '-n', '20', self.log]).stdout}")

    def serves(self) -> bool:
        """A daemon that still starts may let a caller wait."""
        asked = f"timeout {ANSWER_S} {self.ready} >/dev/null 2>&1"
        return self.shell.run(asked, check=False).exit_status == 0

    def kill(self, signal: str = "KILL") -> None:
        """Gone afterwards, unless it was not there."""
        self.shell.run(f"pid=$(cat {self._pid_file} 2>/dev/null) && kill -{signal} $pid 2>/dev/null || true")
        gone = f"pid=$(cat {self._pid_file} 2>/dev/null) || exit 0; [ ! -e /proc/$pid/exe ]"
        for _ in Deadline(GONE_S).ticks(BETWEEN_LOOKS_S):
            if self.shell.run(gone, check=False).exit_status == 0:
                return
        raise AssertionError(f"{self.name} is still there")

    @contextmanager
    def with_settings(self, path: str, settings: Mapping[str, object]) -> Iterator[None]:
        """Restarted with more of them in its JSON file, and afterwards without."""
        before = self.shell.get(path)
        self.shell.put(json.dumps(json.loads(before) | settings).encode(), path)
        try:
            self.kill("TERM")
            self.ensure()
            yield
        finally:
            self.shell.put(before, path)
            self.kill("TERM")
            self.ensure()

    @property
    def _pid_file(self) -> str:
        return f"/tmp/{self.name}.pid"
