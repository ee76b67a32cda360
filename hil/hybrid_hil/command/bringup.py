"""`hil bringup`: whether a board is fit."""

from pathlib import Path

import click
import pytest

from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.bringup import checks
from hybrid_hil.bringup.elf import read_firmware
from hybrid_hil.bringup.page import show
from hybrid_hil.bringup.session import Bringup, BringupRequest
from hybrid_hil.failure import RigError
from hybrid_hil.terminal import TerminalReporter, out
from hybrid_hil.usage import require_folder

CHECKS = Path(checks.__file__).parent
JUNIT = "junit.xml"
PAGE = "report.html"


@click.command()
@click.option(
    "--board", "file", type=click.Path(path_type=Path), required=True, metavar="FILE.toml", help="See docs/boards.md."
)
@click.option(
    "--firmware", type=click.Path(path_type=Path), required=True, metavar="FILE.elf", help="What the core shall run."
)
@click.option("--processor", metavar="NAME", help="Which of the board file's.  [default: its first]")
@click.option("--cycles", type=click.IntRange(min=1), default=10, show_default=True, help="Lives that are timed.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default="bringup",
    show_default=True,
    metavar="DIR",
    help="Where page, JUnit XML and consoles go.",
)
def command(file: Path, firmware: Path, processor: str | None, cycles: int, report: Path) -> None:
    """Look at a board, then run FIRMWARE on it through everything a container may meet.

    Into DIR go report.html, junit.xml, the consoles, and what is known of each check that failed. The board is held
    for this alone, and left with its power on; the runtime stays on it.

    \b
    Examples:
      hil bringup --board gateway.toml --firmware motor.elf
      hil bringup --board gateway.toml --firmware dsp.elf --processor dsp --cycles 100 --report out
    Exit codes: 0 the board is fit, 1 it is not, 2 the board file or the firmware is wrong, 130 interrupted.
    """
    require_folder(report)
    facts = read_firmware(firmware)
    known = [core.name for core in read_board_file(file).cores]
    if processor is not None and processor not in known:
        raise RigError(f"the board file names no processor `{processor}`", f"it names {', '.join(known)}", exit_code=2)
    bringup = Bringup(BringupRequest(firmware.absolute(), facts, processor, cycles), TerminalReporter(out))
    results = [f"--junitxml={report / JUNIT}", f"--hil-report={report / PAGE}"]
    board = [f"--board={file}", f"--hil-artifacts={report}"]
    quiet = ["-c", str(CHECKS / "pytest.ini"), "-p", "no:cacheprovider", "--capture=no"]
    code = pytest.main([str(CHECKS), *board, *results, *quiet], plugins=[bringup])
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    out.print()
    show(bringup.result, out)
    for line in bringup.missing:
        out.print(line, style="bold red", markup=False)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not bringup.result.fit:
        raise RigError("the board is not fit yet", f"the findings above say why; consoles and details are in {report}")
    if bringup.missing:
        raise RigError("the board is fit, but its report is not whole", "the lines above say what is missing, and why")
    out.print(f"\n[bold green]fit[/bold green]: {report / PAGE}")
