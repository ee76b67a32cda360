"""Which image, which layout and which QEMU a person means."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hybrid_hil.board.layout import LAYOUTS, TWO_CORES
from hybrid_hil.host.emulator import QEMU, QEMU_VARIABLE
from hybrid_hil.image import Image, ImageRequest, ensure_image, open_image
from hybrid_hil.image.assembly import DEBIAN, ORIGINS
from hybrid_hil.image.buildroot.request import request_from_environment
from hybrid_hil.terminal import Reporter
from hybrid_hil.usage import refuse_empty

IMAGE_HELP = "A folder `hil image build` has printed, or what to build one from."

Command = TypeVar("Command", bound=Callable[..., Any])


def chosen_image(choice: str | None, reporter: Reporter) -> Image:
    """The image of `--image`: an origin that is built or found, `debian+ENGINE+…` for one with container engines, a
    folder (one called like an origin as `./NAME`), or the default origin's. BUILDROOT and BUILDROOT_SETTINGS say what
    Buildroot's is made from.

    Raises:
        RigError: it is no image, or cannot be built.
    """
    refuse_empty("--image", choice)
    origin, *engines = (choice or DEBIAN).split("+")
    if origin in ORIGINS:
        request = ImageRequest(origin=origin, engines=tuple(engines), buildroot=request_from_environment())
        return ensure_image(request, reporter)
    return open_image(Path(choice or ""))


def image_option(command: Command) -> Command:
    """`--image`, for `chosen_image`."""
    metavar = "|".join(["DIR", *ORIGINS, f"{DEBIAN}+ENGINE…"])
    return click.option("--image", "choice", metavar=metavar, help=IMAGE_HELP)(command)


def layout_option(command: Command) -> Command:
    """`--layout`, a name for `layout_named`."""
    return click.option(
        "--layout",
        type=click.Choice(sorted(LAYOUTS)),
        default=TWO_CORES.name,
        show_default=True,
        help="Two Cortex-R5F cores of their own, or one from both in lockstep.",
    )(command)


def qemu_option(command: Command) -> Command:
    """`--qemu`, for `chosen_qemu`."""
    text = f"The QEMU to run boards in ({QEMU_VARIABLE}).  [default: {QEMU} of PATH]"
    return click.option("--qemu", metavar="PROGRAM", help=text)(command)
