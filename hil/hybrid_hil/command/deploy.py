"""`hil deploy`: the runtime of this checkout onto a running board."""

from pathlib import Path

import click

from hybrid_hil.board.running import held_shell_of_file, is_board_file, require_running, shell_on
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND, KEPT_NOTE, checkout_payload, deploy
from hybrid_hil.terminal import TerminalReporter

DEPLOY_S = 60.0


@click.command()
@click.option("--board", "name", metavar="NAME|FILE.toml", help="A running board, as `hil boot` prints it, or a file.")
def command(name: str | None) -> None:
    """Put the runtime of this checkout on the board that `hil boot` runs, or on that of a file; again after a change.

    Without --board it is the newest that `hil boot` runs from this checkout, else the only one there is.

    \b
    Examples:
      hil deploy
      hil deploy && hil ssh hybrid-runtime processors
      hil deploy --board gateway.toml
    Exit codes: 0 deployed, 1 no board is running, another run has it or it refused, 2 wrong usage.
    """
    packed = checkout_payload()
    reporter = TerminalReporter()
    of_file = Path(name) if name and is_board_file(name) else None
    connection = held_shell_of_file(of_file) if of_file else shell_on(require_running(name, reporter))
    with connection as shell, reporter.step(f"deploy {len(packed.digests)} files as {COMMAND}"):
        kept = deploy(shell, packed, Deadline(DEPLOY_S))
    if kept:
        reporter.note(KEPT_NOTE)
