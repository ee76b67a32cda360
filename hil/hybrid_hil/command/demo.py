"""`hil demo`: a firmware's whole life on an emulated core."""

import time

import click

from hybrid_hil.board.layout import layout_named
from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.command.demonstration import Demonstration, ProvenLife
from hybrid_hil.command.options import image_option, layout_option, qemu_option
from hybrid_hil.device.proof import UnprovenError
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.host.emulator import chosen_qemu
from hybrid_hil.image.choice import chosen_image
from hybrid_hil.terminal import TerminalReporter, out


@click.command()
@image_option
@layout_option
@qemu_option
def command(choice: str | None, layout: str, qemu: str | None) -> None:
    """Build or find the image, boot it, deploy the runtime, and run a firmware from create to delete.

    The firmware carries a nonce made a moment before; only when it comes back from the container's logs and
    from the core's own console, and the core falls silent at the end, has the demo succeeded.

    \b
    Examples:
      hil demo
      hil demo --layout one-core
      hil demo --qemu "$(hil qemu)"
    Exit codes: 0 proven, 1 failed or not proven, 2 wrong usage, 130 interrupted.
    """
    begun = time.monotonic()
    reporter = TerminalReporter(out)
    options = QemuOptions(layout=layout_named(layout), qemu=chosen_qemu(qemu))
    image = chosen_image(choice, reporter)
    try:
        with Rig(QemuBoard(image, options, owner="hil demo")) as rig:
            with reporter.step("boot the board and deploy the runtime") as step:
                rig.board.on_stage = step.detail
                rig.boot()
            life = Demonstration(rig, out).run()
    except UnprovenError as error:
        raise RigError(str(error), "the core's console and the logs above show what did happen") from error
    _conclude(life, time.monotonic() - begun)


def _conclude(life: ProvenLife, total_s: float) -> None:
    start = life.start
    out.print("\n[bold green]proven[/bold green]")
    for line in (
        f"nonce {start.nonce} came back from the container's logs and from {start.speaker}'s own console",
        f"{start.speaker} said so itself in its start number {start.boot}, and was silent for "
        f"{life.silence_s:.1f} s after the stop",
        f"create to delete took {life.duration_s:.1f} s, everything {total_s:.1f} s",
    ):
        out.print(f"  {line}")
