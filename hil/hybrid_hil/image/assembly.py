"""From a checkout to an image: one cache, one set of keys, and a way for each origin."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.build_context import BuildContext
from hybrid_hil.image.buildroot.assembly import BuildrootAssembly
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.debian.assembly import KINDS_BUILT, DebianAssembly
from hybrid_hil.image.debian.request import DebianRequest
from hybrid_hil.image.diagnosis import explained
from hybrid_hil.image.folder import Image
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.keys import make_keys
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import QuietReporter, Reporter

DEBIAN = "debian"
BUILDROOT = "buildroot"
ORIGINS = (DEBIAN, BUILDROOT)


@dataclass(frozen=True)
class ImageRequest:
    """Which image: `origin` says what it is made from, `jobs` on how many CPUs (None: all), `rebuild` that
    nothing in the cache will do, `debian` and `buildroot` what that origin is given."""

    origin: str = DEBIAN
    jobs: int | None = None
    rebuild: bool = False
    debian: DebianRequest = field(default_factory=DebianRequest)
    buildroot: BuildrootRequest = field(default_factory=BuildrootRequest)


class Assembly(Protocol):
    """One origin's way from a checkout to an image; the cache has its keys already."""

    def missing(self) -> list[str]:
        """The kinds of components that `image` would have to build."""

    def image(self) -> Image:
        """The image, built as far as the cache lacks it."""


def ensure_image(request: ImageRequest, reporter: Reporter, store: Store | None = None) -> Image:
    """The image asked for: from the cache when all that goes into it is unchanged, else built. Only what the
    cache lacks needs a network.

    Raises:
        RigError: an unknown origin; no space, program or network; a build that failed.
    """
    if request.origin not in ORIGINS:
        raise RigError(f"unknown origin `{request.origin}`", f"give one of {', '.join(ORIGINS)}")
    with _in_use(store or Store(), reporter) as ready:
        return assembly_for(request, ready, reporter).image()


def ensure_keys(reporter: Reporter, store: Store | None = None) -> Path:
    """The folder with the keys of emulated boards. Raises RigError as `ensure_image` does."""
    with _in_use(store or Store(), reporter) as ready:
        return ready.path(KEYS)


@contextmanager
def _in_use(store: Store, reporter: Reporter) -> Iterator[Store]:
    """`store` without what dead builds have left, with its keys, and not to be cleaned meanwhile."""
    try:
        with store.occupied():
            store.sweep()
            store.ensure(KEYS, make_keys, reporter, "making the keys")
            yield store
    except OSError as error:
        raise explained(error, store.root) from error


def missing_kinds(store: Store, request: ImageRequest | None = None) -> list[str]:
    """The kinds of components that the next `ensure_image` of `request`, or of the default origin, would have to build,
    in no order; without keys that is everything, told by what Debian's is made of."""
    if not store.has(KEYS):
        return ["keys", *KINDS_BUILT]
    return assembly_for(request or ImageRequest(), store, QuietReporter()).missing()


def assembly_for(request: ImageRequest, store: Store, reporter: Reporter) -> Assembly:
    jobs = request.jobs or len(os.sched_getaffinity(0))
    context = BuildContext(store, checkout_root(), reporter, jobs, request.rebuild)
    if request.origin != BUILDROOT:
        return DebianAssembly(context, request.debian)
    if request.debian != DebianRequest():
        raise RigError(
            "Debian's release, the kernel and engines are chosen for Debian-made images",
            "Buildroot's are named in its defconfig: --defconfig NAME",
            exit_code=2,
        )
    return BuildrootAssembly(context, request.buildroot)
