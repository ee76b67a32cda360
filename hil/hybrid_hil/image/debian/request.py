"""What a Debian-made image is to have inside."""

from collections.abc import Iterable
from dataclasses import dataclass

from hybrid_hil.image.debian import kernel_release, release
from hybrid_hil.image.debian.engines import engines_named
from hybrid_hil.image.debian.given_programs import GivenPrograms, split_words
from hybrid_hil.image.debian.kernel_release import KernelRelease
from hybrid_hil.image.debian.release import DebianRelease


@dataclass(frozen=True)
class DebianRequest:
    """The release that its packages are of, its Linux, container engines by name, and programs for those that Debian
    does not have."""

    release: DebianRelease = release.DEFAULT
    kernel: KernelRelease = kernel_release.DEFAULT
    engines: tuple[str, ...] = ()
    given: tuple[GivenPrograms, ...] = ()


def debian_request(debian: str | None, kernel: str | None, engines: Iterable[str]) -> DebianRequest:
    """By names. None is the usual one. An engine may be NAME=DIR.

    Raises:
        RigError: one of them cannot be had.
    """
    names, given = split_words(engines)
    return DebianRequest(
        release.release_named(debian), kernel_release.release_named(kernel), engines_named(names), given
    )
