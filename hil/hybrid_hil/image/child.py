"""Programs run by a build: their output goes to a log, and none of them outlives the rig."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image import lifeline
from hybrid_hil.image.diagnosis import SIGNS, Signs, remedy_for

TAIL_LINES = 12
# What compilers and make say of the reason. With several jobs the others print on after it.
REASON = re.compile(r"\b(?:fatal )?error: |^make.*\*\*\* ", re.IGNORECASE)
MOST_REASONS = 3

LineWatcher = Callable[[str], None]


class BuildRunner:
    """Where one component is made: its log file, and the programs run for it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        watch: LineWatcher | None = None,
        environment: Mapping[str, str] | None = None,
        signs: Signs = SIGNS,
    ) -> None:
        """Runs `argv` to its end; `watch` sees each line it prints. Messages are asked for in English; `signs` tell
        the remedy from them.

        Raises:
            RigError: it could not be run or failed; the message ends with the first reasons given, and the last lines.
        """
        command = [str(part) for part in argv]
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        reasons: list[str] = []
        with self.log.open("a", buffering=1, encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            with _group(command, environment or {}) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    log.write(line)
                    tail.append(line.rstrip())
                    if len(reasons) < MOST_REASONS and REASON.search(line):
                        reasons.append(line.rstrip())
                    if watch is not None:
                        watch(line)
        if process.returncode != 0:
            earlier = [reason for reason in reasons if reason not in tail]
            raise self._failure(command[0], process.returncode, [*earlier, *tail], signs)

    def _failure(self, program: str, status: int, tail: list[str], signs: Signs) -> RigError:
        how = f"was killed by signal {status - 128}" if status > 128 else f"ended with exit status {status}"
        said = "".join(f"\n    {line}" for line in tail)
        remedy = remedy_for(Path(program).name, status, tail, signs)
        return RigError(f"`{Path(program).name}` {how}{said}", f"{remedy}; the whole log is `{self.log}`")


@contextlib.contextmanager
def _group(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A running command in a process group of its own, all of which is dead on the way out."""
    with subprocess.Popen(
        [sys.executable, "-IS", lifeline.__file__, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        process_group=0,
    ) as process:
        try:
            yield process
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            # The leader is not reaped yet, so the number is still the group's. A fork cannot slip past:
            # kernel/fork.c copy_process() starts over when a signal to the group is pending.
            os.killpg(process.pid, signal.SIGKILL)
            _wait_for_the_last(process)


def _wait_for_the_last(process: subprocess.Popen[str]) -> None:
    """Returns when nobody holds the output any more, that is when every member of the group is gone."""
    assert process.stdout is not None
    for _ in process.stdout:
        pass


def cpu_seconds() -> float:
    """CPU time, user and system, of all programs that were run and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
