"""The options by which a person says which image, which layout and which QEMU is meant."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from hybrid_hil.board.layout import LAYOUTS, TWO_CORES
from hybrid_hil.host.emulator import QEMU, QEMU_VARIABLE
from hybrid_hil.image.assembly import DEBIAN, ORIGINS

IMAGE_HELP = "A folder `hil image build` has printed, or what to build one from."

ClickCommand = TypeVar("ClickCommand", bound=Callable[..., Any])


def image_option(command: ClickCommand) -> ClickCommand:
    """`--image`, for `chosen_image`."""
    metavar = "|".join(["DIR", *ORIGINS, f"{DEBIAN}+ENGINE…"])
    return click.option("--image", "choice", metavar=metavar, help=IMAGE_HELP)(command)


def layout_option(command: ClickCommand) -> ClickCommand:
    """`--layout`, a name for `layout_named`."""
    return click.option(
        "--layout",
        type=click.Choice(sorted(LAYOUTS)),
        default=TWO_CORES.name,
        show_default=True,
        help="Two Cortex-R5F cores of their own, or one from both in lockstep.",
    )(command)


def qemu_option(command: ClickCommand) -> ClickCommand:
    """`--qemu`, for `chosen_qemu`."""
    text = f"The QEMU to run boards in ({QEMU_VARIABLE}).  [default: {QEMU} of PATH]"
    return click.option("--qemu", metavar="PROGRAM", help=text)(command)
