"""A long command: its lines are shown as they come, and Ctrl-C reaches it once."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hybrid_hil.host.checkout import checkout_with_tests
from hybrid_hil.terminal import Step, out

SHOWN = 80


def run_long_command(
    command_line: Sequence[str], step: Step, *, log: Path, environment: Mapping[str, str] | None = None
) -> int:
    """Runs it in the checkout with `environment` on top of this process's; returns its exit code. What it prints goes
    to `log`. On a terminal its last line is shown as it changes; elsewhere everything is passed on.

    Raises:
        KeyboardInterrupt: it was interrupted, and has ended.
    """
    with log.open("wb", buffering=0) as kept, _spawned(command_line, environment or {}, subprocess.PIPE) as process:
        try:
            for line in process.stdout or ():
                kept.write(line)
                _pass_on(line.decode(errors="replace").rstrip(), step)
            return process.wait()
        except KeyboardInterrupt:
            # once, to all of them: boards are put away while they end
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate()
            kept.write(rest)
            raise


@contextmanager
def long_command_beside(command_line: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs it in the checkout beside what the block does; what it prints goes to `log`. A block that fails or is
    interrupted interrupts it as well, and waits for its end."""
    with log.open("wb") as kept, _spawned(command_line, {}, kept) as process:
        try:
            yield process
        except BaseException:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait()
            raise


def _pass_on(line: str, step: Step) -> None:
    if out.is_terminal:
        step.detail(line.strip()[:SHOWN])
    else:
        out.print(line, markup=False)


def _spawned(
    command_line: Sequence[str], environment: Mapping[str, str], output: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    """A process group of its own, so that a terminal's Ctrl-C reaches it through us, and not twice."""
    return subprocess.Popen(
        command_line,
        cwd=checkout_with_tests(),
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        process_group=0,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
