"""`hil boot`: a board for a person."""

import sys

import click

from hybrid_hil.board import Board
from hybrid_hil.board.layout import layout_named
from hybrid_hil.board.qemu import BOOT_S, QemuBoard, QemuOptions
from hybrid_hil.choice import chosen_image, image_option, layout_option
from hybrid_hil.deadline import Deadline
from hybrid_hil.deployment import deploy, parcel_of_checkout
from hybrid_hil.interaction import LOOK_AGAIN_S, show, type_into
from hybrid_hil.running import FOR_PEOPLE
from hybrid_hil.terminal import TerminalReporter, err

# the board's shell asks where the cursor is; the terminal's answer would be echoed among the output
CURSOR_QUERY = b"\x1b[6n"


def _deploy(board: Board, deadline: Deadline) -> None:
    deploy(board.shell, parcel_of_checkout(), deadline)


@click.command()
@image_option
@layout_option
@click.option("--append", "words", multiple=True, metavar="WORD", help="Adds to the kernel's command line.")
@click.option("--bare", is_flag=True, help="Does not deploy the runtime.")
def command(choice: str | None, layout: str, words: tuple[str, ...], bare: bool) -> None:
    """Boot a board with the runtime on it and your terminal on its console; Ctrl-] powers it off.

    While it runs, `hil ssh` and `hil deploy` in other terminals reach it. Without a terminal the console is
    printed until the board powers itself off or this command is interrupted.

    \b
    Examples:
      hil boot
      hil boot --layout one-core
      hil boot --append initcall_debug --append loglevel=8
    Exit codes: 0 left or powered off, 1 the boot failed or the board died, 130 interrupted.
    """
    image = chosen_image(choice, TerminalReporter())
    options = QemuOptions(layout=layout_named(layout), kernel_arguments=words)
    with QemuBoard(image, options, owner=FOR_PEOPLE, provision=None if bare else _deploy) as board:
        board.console.tap(lambda data: show(data.replace(CURSOR_QUERY, b"")))
        deadline = Deadline(BOOT_S)
        board.power_on(deadline)
        took = deadline.seconds - deadline.remaining()
        err.print(
            f"\r\n[green]✓[/green] `{board.name}` is up after {took:.1f} s; Ctrl-] powers it off\r\n"
            f"  in another terminal: `hil ssh hybrid-runtime processors`; `hil deploy` after a change\r\n"
            f"  cores' console: {board.core_console.log}\r"
        )
        if sys.stdin.isatty():
            board.console.send(b"\r")
            type_into(board.console.send, lambda: board.vitals.cause is not None)
        else:
            while not board.vitals.wait(LOOK_AGAIN_S):
                continue
        board.raise_unless_well()
