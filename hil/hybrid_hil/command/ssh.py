"""`hil ssh`: a shell, or one command, on a board."""

import shlex
import sys
from pathlib import Path

import click

from hybrid_hil.board.qemu import BOOT_S, QemuBoard
from hybrid_hil.board.running import find_running, is_board_file, shell_of_file, shell_on
from hybrid_hil.command.options import image_option
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.image.choice import chosen_image
from hybrid_hil.shell.interaction import converse, request_terminal
from hybrid_hil.shell.shell import RUN_S, Shell
from hybrid_hil.terminal import TerminalReporter, is_interactive
from hybrid_hil.usage import WRONG_USAGE


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@image_option
@click.option("--board", "name", metavar="NAME|FILE.toml", help="A running board, as `hil boot` prints it, or a file.")
@click.argument("words", metavar="[COMMAND…]", nargs=-1, type=click.UNPROCESSED)
def command(choice: str | None, name: str | None, words: tuple[str, ...]) -> int:
    """Open a shell on the running board, or run COMMAND there; without a running board, boot one for it.

    Without --board it is the newest that `hil boot` runs from this checkout, else the only one there is; stderr names
    it first. One word is a shell's command line, several are the exact arguments.

    \b
    Examples:
      hil ssh
      hil ssh uname -a
      hil ssh 'dmesg | tail'
      hil ssh --board gateway.toml
    Exit codes: those of the command or shell; 1 also when the board cannot be reached, 2 for wrong usage.
    """
    if words and words[0].startswith("-"):
        remedy = "options of hil come before the command, and no command of a board begins so"
        raise RigError(f"no such option `{words[0]}`", remedy, exit_code=WRONG_USAGE)
    if name is not None and is_board_file(name):
        with shell_of_file(Path(name)) as shell:
            return _talk(shell, words)
    reporter = TerminalReporter()
    run_info = find_running(name, reporter)
    if run_info is not None:
        with shell_on(run_info) as shell:
            return _talk(shell, words)
    image = chosen_image(choice, reporter)
    with QemuBoard(image, owner="hil ssh") as board:
        with reporter.step("boot a board for this session") as step:
            board.on_stage = step.detail
            board.power_on(Deadline(BOOT_S))
        return _talk(board.shell, words)


def _talk(shell: Shell, words: tuple[str, ...]) -> int:
    channel = shell.open_channel(Deadline(RUN_S))
    with_terminal = not words and is_interactive()
    if with_terminal:
        request_terminal(channel)
    if words:
        channel.exec_command(shell.as_root(words[0] if len(words) == 1 else shlex.join(words)))
    else:
        channel.invoke_shell()
    sys.stdout.flush()
    return converse(channel, terminal=with_terminal)
