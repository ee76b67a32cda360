"""Which image a person means."""

from pathlib import Path

from hybrid_hil.image.assembly import DEBIAN, ORIGINS, ImageRequest, ensure_image
from hybrid_hil.image.buildroot.request import request_from_environment
from hybrid_hil.image.folder import Image, open_image
from hybrid_hil.terminal import Reporter
from hybrid_hil.usage import refuse_empty


def chosen_image(choice: str | None, reporter: Reporter) -> Image:
    """The image of `--image`: an origin that is built or found, or a folder (one called like an origin as `./NAME`), or
    the default origin's. `debian:KERNEL` is one with another Linux, `debian+ENGINE+…` one with container engines.
    BUILDROOT and BUILDROOT_SETTINGS say what Buildroot's is made from.

    Raises:
        RigError: it is no image, or cannot be built.
    """
    refuse_empty("--image", choice)
    first, *engines = (choice or DEBIAN).split("+")
    origin, named, kernel = first.partition(":")
    if origin in ORIGINS:
        buildroot = request_from_environment()
        request = ImageRequest(origin, engines=tuple(engines), kernel=kernel if named else None, buildroot=buildroot)
        return ensure_image(request, reporter)
    return open_image(Path(choice or ""))
