"""A long command: its lines are shown as they come, and Ctrl-C reaches it once."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybrid_hil.checkout import checkout_with_tests
from hybrid_hil.terminal import Step, out

SHOWN = 80


def run_job(command_line: Sequence[str], step: Step, *, log: Path, environment: Mapping[str, str] | None = None) -> int:
    """Runs it in the checkout with `environment` on top of this process's; returns its exit code. What it prints goes
    to `log`. On a terminal its last line is shown as it changes; elsewhere everything is passed on.

    Raises:
        KeyboardInterrupt: it was interrupted, and has ended.
    """
    with log.open("w", buffering=1) as kept, _started(command_line, environment or {}) as process:
        try:
            for line in process.stdout or ():
                kept.write(line)
                _pass_on(line.rstrip(), step)
            return process.wait()
        except KeyboardInterrupt:
            # once, to all of them: boards are put away while they end
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate()
            kept.write(rest)
            raise


def _pass_on(line: str, step: Step) -> None:
    if out.is_terminal:
        step.detail(line.strip()[:SHOWN])
    else:
        out.print(line, markup=False)


def _started(command_line: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A process group of its own, so that a terminal's Ctrl-C reaches it through us, and not twice."""
    return subprocess.Popen(
        command_line,
        cwd=checkout_with_tests(),
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        process_group=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
