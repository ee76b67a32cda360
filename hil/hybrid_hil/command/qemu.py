"""`hil qemu`: a newer QEMU than this machine's."""

import click

from hybrid_hil.image.debian.emulator import NEWEST, SUITES, ensure_emulator
from hybrid_hil.terminal import TerminalReporter, out


@click.command()
@click.option(
    "--release", type=click.Choice(list(SUITES)), default=NEWEST, show_default=True, help="Whose QEMU is fetched."
)
@click.option("--rebuild", is_flag=True, help="Fetch it again, in the version Debian has now.")
def command(release: str, rebuild: bool) -> None:
    """Fetch the QEMU of a Debian release into the cache, or find it there, and print what runs it.

    Nothing is installed: it runs from the cache with libraries of its own.

    \b
    Examples:
      hil qemu
      hil qemu --release debian-13
      hil demo --qemu "$(hil qemu)"
      HYBRID_HIL_QEMU="$(hil qemu)" hil test
    Exit codes: 0 printed, 1 it could not be fetched or does not run here.
    """
    out.print(str(ensure_emulator(release, TerminalReporter(), rebuild=rebuild)), markup=False)
