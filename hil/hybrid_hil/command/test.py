"""`hil test`: everything that has to pass."""

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from hybrid_hil.command.options import image_option
from hybrid_hil.failure import RigError
from hybrid_hil.host.long_command import long_command_beside, run_long_command
from hybrid_hil.image.choice import chosen_image
from hybrid_hil.terminal import TerminalReporter, out

# The one that needs an image; arguments for pytest are its.
BOARD = "hil"
ENVIRONMENTS = ("lint", "type", "unit", BOARD)
# What tox.ini gives pytest when nothing else is asked for.
WORKERS = ("-n", "2")
TAIL_LINES = 60
# What two CPUs do beside the unit tests, which wait now and then.
BESIDE = ("lint", "type")
_TOX_TOOK = re.compile(r"^  (?:congratulations :\)|evaluation failed :\() \((\d+\.\d+) seconds\)$")
_TOX_SAYS = re.compile(r"^congratulations|^evaluation failed|: (OK|FAIL)\b|^\w+: exit \d+|^\.pkg: ")


@dataclass(frozen=True)
class EnvironmentResult:
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
    image = _image_arguments(choice, arguments)
    for_pytest = (*(arguments or (WORKERS if image else ())), *image)
    with tempfile.TemporaryDirectory() as folder:
        results = _results(Path(folder), (BOARD,) if arguments else ENVIRONMENTS, for_pytest)
    out.print()
    for result in results:
        mark = "[green]✓[/green]" if result.exit_code == 0 else "[red]✗[/red]"
        out.print(f"{mark} {result.environment:<6}{result.duration_s:7.1f} s  ", end="")
        out.print(result.summary, markup=False)
    failed = [result.environment for result in results if result.exit_code != 0]
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


def _results(logs: Path, environments: Sequence[str], for_pytest: Sequence[str]) -> list[EnvironmentResult]:
    """Those BESIDE run while the rest does, up to the board's. Boards want the CPUs for themselves."""
    installing = [*_tox(environments), "--notest"]
    if _attended("environments", installing, logs).exit_code:
        raise RigError("the environments of the tests cannot be installed", f"again: {shlex.join(installing)}")
    beside = [environment for environment in environments if environment in BESIDE]
    results = []
    with ExitStack() as stack:
        begun = {name: stack.enter_context(long_command_beside(_prepared(name), logs / name)) for name in beside}
        ahead = [name for name in environments if name not in (*beside, BOARD)]
        results += [_attended(name, _prepared(name), logs) for name in ahead]
        results[:0] = [_collected(name, process, logs / name) for name, process in begun.items()]
    if BOARD in environments:
        results.append(_attended(BOARD, _prepared(BOARD, for_pytest), logs))
    return results


def _tox(environments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "tox", "run", "-e", ",".join(environments)]


def _prepared(environment: str, arguments: Sequence[str] = ()) -> list[str]:
    """What runs an environment that is installed already."""
    return [*_tox([environment]), "--skip-pkg-install", *(["--", *arguments] if arguments else [])]


def _attended(name: str, command_line: list[str], logs: Path) -> EnvironmentResult:
    """Shown as it runs; on a terminal its end is shown only when it fails."""
    begun = time.monotonic()
    with TerminalReporter(out).step(name) as step:
        exit_code = run_long_command(command_line, step, log=logs / name)
        step.failed = exit_code != 0
    lines = (logs / name).read_text(errors="replace").splitlines()
    if exit_code != 0 and out.is_terminal:
        out.print("\n".join(lines[-TAIL_LINES:]), markup=False)
    return EnvironmentResult(name, exit_code, time.monotonic() - begun, last_words(lines))


def _collected(name: str, process: subprocess.Popen[bytes], log: Path) -> EnvironmentResult:
    """Of one that has run beside another; what it printed follows now."""
    with TerminalReporter(out).step(name) as step:
        exit_code = process.wait()
        step.failed = exit_code != 0
    lines = log.read_text(errors="replace").splitlines()
    if exit_code != 0 or not out.is_terminal:
        out.print("\n".join(lines[-TAIL_LINES:] if out.is_terminal else lines), markup=False)
    return EnvironmentResult(name, exit_code, seconds_of(lines), last_words(lines))


def seconds_of(lines: Sequence[str]) -> float:
    """How long it took, by the last words of tox."""
    took = next(filter(None, map(_TOX_TOOK.search, reversed(lines))), None)
    return float(took[1]) if took else 0.0


def last_words(lines: list[str]) -> str:
    """The last line of a tool's own, not of tox: what it counted or complained about."""
    spoken = [line.strip(" =-") for line in lines]
    return next((line for line in reversed(spoken) if line and not _TOX_SAYS.search(line)), "")
