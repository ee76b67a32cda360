"""`hil test`: everything that has to pass."""

import re
import shlex
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from hybrid_hil.choice import chosen_image, image_option
from hybrid_hil.failure import RigError
from hybrid_hil.job import run_job
from hybrid_hil.terminal import TerminalReporter, out

# The one that needs an image; arguments for pytest are its.
BOARD = "hil"
ENVIRONMENTS = ("lint", "type", "unit", BOARD)
# What tox.ini gives pytest when nothing else is asked for.
WORKERS = ("-n", "2")
TAIL_LINES = 60
_TOX_SAYS = re.compile(r"^congratulations|^evaluation failed|: (OK|FAIL)\b|^\w+: exit \d+|^\.pkg: ")


@dataclass(frozen=True)
class Outcome:
    """How one tox environment ended, after how many seconds, and the last line that says something."""

    environment: str
    exit_code: int
    duration_s: float
    summary: str


@click.command(context_settings={"ignore_unknown_options": True})
@image_option
@click.argument("arguments", metavar="[-- PYTEST ARGUMENTS…]", nargs=-1, type=click.UNPROCESSED)
def command(choice: str | None, arguments: tuple[str, ...]) -> None:
    """Run lint, type, unit and hardware-in-the-loop tests; with arguments only the last, with these for pytest.

    \b
    Examples:
      hil test
      hil test --image buildroot
      hil test -- -k kill
      hil test -- -n 2 --layout one-core tests/board/test_lifecycle.py
    Exit codes: 0 all passed, 1 something failed, 130 interrupted.
    """
    environments = (BOARD,) if arguments else ENVIRONMENTS
    image = _image_arguments(choice, arguments)
    for_pytest = (*(arguments or (WORKERS if image else ())), *image)
    outcomes = [_run(environment, for_pytest if environment == BOARD else ()) for environment in environments]
    out.print()
    for outcome in outcomes:
        mark = "[green]✓[/green]" if outcome.exit_code == 0 else "[red]✗[/red]"
        out.print(f"{mark} {outcome.environment:<6}{outcome.duration_s:7.1f} s  ", end="")
        out.print(outcome.summary, markup=False)
    failed = [outcome.environment for outcome in outcomes if outcome.exit_code != 0]
    if failed:
        raise RigError(f"failed: {', '.join(failed)}", f"again: {again(failed, for_pytest)}")


def again(failed: list[str], for_pytest: tuple[str, ...]) -> str:
    """The commands that repeat what failed, and nothing else."""
    alone = [BOARD] if for_pytest and BOARD in failed else []
    others = [environment for environment in failed if environment not in alone]
    commands = [f".venv/bin/tox run -e {','.join(others)}"] if others else []
    commands += [f"./rig test -- {shlex.join(for_pytest)}"] if alone else []
    return " && ".join(commands)


def _image_arguments(choice: str | None, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Sees to the image before anything else runs, and says to pytest which one it is unless it is the default."""
    if any(argument.startswith("--image") for argument in arguments):
        return ()
    image = chosen_image(choice, TerminalReporter(out))
    return (f"--image={image.folder}",) if choice else ()


def _run(environment: str, arguments: tuple[str, ...]) -> Outcome:
    """Runs one environment; on a terminal its end is shown only when it fails."""
    command_line = [sys.executable, "-m", "tox", "run", "-e", environment]
    command_line += ["--", *arguments] if arguments else []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, TerminalReporter(out).step(environment) as step:
        log = Path(folder) / "log"
        exit_code = run_job(command_line, step, log=log)
        lines = log.read_text().splitlines()
        step.failed = exit_code != 0
    if exit_code != 0 and out.is_terminal:
        out.print("\n".join(lines[-TAIL_LINES:]), markup=False)
    return Outcome(environment, exit_code, time.monotonic() - begun, last_words(lines))


def last_words(lines: list[str]) -> str:
    """The last line of a tool's own, not of tox: what it counted or complained about."""
    spoken = [line.strip(" =-") for line in lines]
    return next((line for line in reversed(spoken) if line and not _TOX_SAYS.search(line)), "")
