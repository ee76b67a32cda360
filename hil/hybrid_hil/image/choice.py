"""Which image a person means."""

from pathlib import Path

from hybrid_hil.image.assembly import DEBIAN, ORIGINS, ImageRequest, ensure_image
from hybrid_hil.image.buildroot.request import request_from_environment
from hybrid_hil.image.debian.request import debian_request
from hybrid_hil.image.folder import Image, open_image
from hybrid_hil.terminal import Reporter
from hybrid_hil.usage import refuse_empty


def chosen_image(choice: str | None, reporter: Reporter) -> Image:
    """The image of `--image`: an origin that is built or found, or a folder (one called like an origin as `./NAME`), or
    the default origin's. `debian-RELEASE` is made of another Debian, `debian:KERNEL` has another Linux and
    `debian+ENGINE+…` container engines, in this order. BUILDROOT and BUILDROOT_SETTINGS say what Buildroot's is made
    from.

    Raises:
        RigError: it is no image, or cannot be built.
    """
    refuse_empty("--image", choice)
    first, *engines = (choice or DEBIAN).split("+")
    word, with_kernel, kernel = first.partition(":")
    origin, with_release, release = word.partition("-")
    if origin in ORIGINS:
        debian = debian_request(release if with_release else None, kernel if with_kernel else None, engines)
        request = ImageRequest(origin, debian=debian, buildroot=request_from_environment())
        return ensure_image(request, reporter)
    return open_image(Path(choice or ""))
