"""`hil boot`: a board for a person."""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import click
from click.core import ParameterSource

from hybrid_hil.board import Board, Provision, ShellAccess
from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.board.layout import layout_named
from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import BOOT_S, QemuBoard
from hybrid_hil.board.remote import RemoteBoard
from hybrid_hil.board.running import FOR_PEOPLE
from hybrid_hil.board.stages import FIRMWARE
from hybrid_hil.board_health import ending
from hybrid_hil.command.debugger import instructions
from hybrid_hil.command.options import image_option, layout_option, qemu_option
from hybrid_hil.deadline import Deadline, Unlimited
from hybrid_hil.device.deployment import KEPT_NOTE, checkout_payload, deploy
from hybrid_hil.failure import RigError
from hybrid_hil.host.emulator import chosen_qemu
from hybrid_hil.image.choice import chosen_image
from hybrid_hil.shell.interaction import LOOK_AGAIN_S, show, type_into
from hybrid_hil.terminal import TerminalReporter, err
from hybrid_hil.usage import WRONG_USAGE

# the board's shell asks where the cursor is; the terminal's answer would be echoed among the output
CURSOR_QUERY = b"\x1b[6n"


def _deploy(board: ShellAccess, deadline: Deadline) -> None:
    if deploy(board.shell, checkout_payload(), deadline):
        err.print(f"\r  {KEPT_NOTE}\r", markup=False)


def _tell_of_debugger(board: QemuBoard, stage: str) -> None:
    """Once QEMU runs, and before anything in it does."""
    if stage == FIRMWARE.name:
        err.print(instructions(board.debugger, board.layout, board.image.platform), markup=False)


@click.command()
@click.option(
    "--board", "file", type=click.Path(path_type=Path), metavar="FILE.toml", help="A board of your own instead."
)
@image_option
@layout_option
@click.option("--append", "words", multiple=True, metavar="WORD", help="Adds to the kernel's command line.")
@qemu_option
@click.option("--wait-gdb", is_flag=True, help="Halts every core until a debugger goes on.")
@click.option("--bare", is_flag=True, help="Does not deploy the runtime.")
def command(
    file: Path | None,
    choice: str | None,
    layout: str,
    words: tuple[str, ...],
    qemu: str | None,
    wait_gdb: bool,
    bare: bool,
) -> None:
    """Boot a board with the runtime on it and your terminal on its console; Ctrl-] powers it off.

    With --wait-gdb nothing has run yet when the commands for gdb are printed, and nothing of the boot has a deadline.

    While it runs, `hil ssh` and `hil deploy` in other terminals reach it. Without a terminal the console is
    printed until the board powers itself off or this command is interrupted.

    A board of your own is switched on and held for you alone; Ctrl-] leaves it with its power on.

    \b
    Examples:
      hil boot
      hil boot --layout one-core
      hil boot --append initcall_debug --append loglevel=8
      hil boot --wait-gdb --layout one-core
      hil boot --qemu "$(hil qemu)"
      hil boot --board gateway.toml
    Exit codes: 0 left or powered off, 1 the boot failed or the board died, 2 wrong usage, 130 interrupted.
    """
    provision = None if bare else _deploy
    if file is not None:
        _refuse_what_is_for_emulated_boards()
        _visit(file, provision)
        return
    program = chosen_qemu(qemu)
    image = chosen_image(choice, TerminalReporter())
    options = QemuOptions(layout=layout_named(layout), kernel_arguments=words, qemu=program, debugged=wait_gdb)
    with QemuBoard(image, options, owner=FOR_PEOPLE, provision=provision) as board:
        if wait_gdb:
            board.on_stage = partial(_tell_of_debugger, board)
        _bring_up(board, Unlimited() if wait_gdb else Deadline(BOOT_S), "Ctrl-] powers it off")
        _sit_at(board)
        board.raise_unless_well()


def _refuse_what_is_for_emulated_boards() -> None:
    context = click.get_current_context()
    given = {"choice": "--image", "layout": "--layout", "words": "--append", "qemu": "--qemu", "wait_gdb": "--wait-gdb"}
    for parameter, option in given.items():
        if context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE:
            message = f"{option} is for emulated boards, --board names one of your own"
            raise RigError(message, "leave one of them out", exit_code=WRONG_USAGE)


def _visit(file: Path, provision: Provision | None) -> None:
    """A board of a file, with the person's terminal on its console if it has one."""
    with (
        tempfile.TemporaryDirectory(prefix="hybrid-hil-") as logs,
        RemoteBoard(read_board_file(file), logs=Path(logs), provision=provision) as board,
    ):
        _bring_up(board, Deadline(board.boot_s), "Ctrl-] leaves it", f" --board {file}")
        if board.console.wired:
            _sit_at(board)
            if board.health.cause is not None:
                raise RigError(ending(board.health.cause), board.console.tail())
        else:
            err.print("  it has no [console] to sit at: `hil ssh --board FILE`")


def _bring_up(board: Board, deadline: Deadline, leaving: str, which: str = "") -> None:
    board.console.tap(lambda data: show(data.replace(CURSOR_QUERY, b"")))
    begun = time.monotonic()
    board.power_on(deadline)
    err.print(
        f"\r\n[green]✓[/green] `{board.name}` is up after {time.monotonic() - begun:.1f} s; {leaving}\r\n"
        f"  in another terminal: `hil ssh{which} hybrid-runtime processors`; `hil deploy{which}` after a change\r\n"
        f"  cores' console: {board.core_console.log}\r"
    )


def _sit_at(board: Board) -> None:
    """The person's keys go to the console until they leave or the board ends."""
    if sys.stdin.isatty():
        board.console.send(b"\r")
        type_into(board.console.send, lambda: board.health.cause is not None)
    else:
        while not board.health.wait(LOOK_AGAIN_S):
            continue
