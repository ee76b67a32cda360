"""`hil deploy`: the runtime of this checkout onto a running board."""

import click

from hybrid_hil.deadline import Deadline
from hybrid_hil.deployment import COMMAND, deploy, parcel_of_checkout
from hybrid_hil.running import require_running, shell_on
from hybrid_hil.terminal import TerminalReporter

DEPLOY_S = 60.0


@click.command()
@click.option("--board", "name", metavar="NAME", help="Which running board; `hil boot` prints the name.")
def command(name: str | None) -> None:
    """Put the runtime of this checkout on the board that `hil boot` runs; again after every change.

    \b
    Examples:
      hil deploy
      hil deploy && hil ssh hybrid-runtime processors
    Exit codes: 0 deployed, 1 no board is running or it refused.
    """
    packed = parcel_of_checkout()
    card = require_running(name)
    reporter = TerminalReporter()
    with shell_on(card) as shell, reporter.step(f"deploy {len(packed.digests)} files as {COMMAND}"):
        deploy(shell, packed, Deadline(DEPLOY_S))
