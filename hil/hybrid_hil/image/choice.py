"""Which image a person means."""

from pathlib import Path

from hybrid_hil.image.assembly import DEBIAN, ORIGINS, ImageRequest, ensure_image
from hybrid_hil.image.buildroot.request import request_from_environment
from hybrid_hil.image.folder import Image, open_image
from hybrid_hil.terminal import Reporter
from hybrid_hil.usage import refuse_empty


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
