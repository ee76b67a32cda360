"""What a Debian-made image is to have inside."""

from collections.abc import Iterable
from dataclasses import dataclass

from hybrid_hil.image.debian import kernel_release, release
from hybrid_hil.image.debian.engines import engines_named
from hybrid_hil.image.debian.kernel_release import KernelRelease
from hybrid_hil.image.debian.release import DebianRelease


@dataclass(frozen=True)
class DebianRequest:
    """The release that its packages are of, its Linux, and container engines by name."""

    release: DebianRelease = release.DEFAULT
    kernel: KernelRelease = kernel_release.DEFAULT
    engines: tuple[str, ...] = ()


def debian_request(debian: str | None, kernel: str | None, engines: Iterable[str]) -> DebianRequest:
    """By names. None is the usual one.

    Raises:
        RigError: one of them cannot be had.
    """
    return DebianRequest(release.release_named(debian), kernel_release.release_named(kernel), engines_named(engines))
