"""From a checkout to an image: which components it takes, and how they become one folder."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hybrid_hil.checkout import checkout_root
from hybrid_hil.failure import RigError
from hybrid_hil.image.child import Workshop
from hybrid_hil.image.diagnosis import explained
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import (
    DISK,
    HOST_KEY,
    KERNEL,
    LOGIN_KEY,
    PLATFORM,
    Image,
    open_image,
    read_manifest,
    write_manifest,
)
from hybrid_hil.image.kernel import KernelRecipe, kernel_component
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.keys import make_keys
from hybrid_hil.image.platform import PlatformRecipe, platform_component
from hybrid_hil.image.prerequisites import check_prerequisites
from hybrid_hil.image.rootfs import RootfsRecipe, rootfs_component
from hybrid_hil.image.source import fetch_source, source_component
from hybrid_hil.image.store import Builder, Component, Store
from hybrid_hil.terminal import Reporter, Step

ORIGINS = ("debian",)
KINDS_BUILT = ("source", "kernel", "rootfs", "platform")


@dataclass(frozen=True)
class ImageRequest:
    """Which image: `origin` says what it is made from, `jobs` on how many CPUs (None: all), `rebuild` that
    nothing in the cache will do."""

    origin: str = "debian"
    jobs: int | None = None
    rebuild: bool = False


@dataclass(frozen=True)
class Parts:
    """The components of one image."""

    source: Component
    kernel: Component
    rootfs: Component
    platform: Component

    def missing(self, store: Store) -> list[str]:
        """The kinds that `store` lacks; the kernel's source is wanted for the kernel only."""
        wanted = [part for part in (self.kernel, self.rootfs, self.platform) if not store.has(part)]
        source = [self.source] if self.kernel in wanted and not store.has(self.source) else []
        return [part.kind for part in (*source, *wanted)]

    @property
    def image(self) -> Component:
        inputs = Fingerprint()
        inputs.recipe(Path(__file__))
        inputs.text("parts", *(str(part) for part in (self.kernel, self.rootfs, self.platform)))
        return Component("image", inputs.digest())


def ensure_image(request: ImageRequest, reporter: Reporter, store: Store | None = None) -> Image:
    """The image asked for: from the cache when all that goes into it is unchanged, else built. Only what the
    cache lacks needs a network.

    Raises:
        RigError: an unknown origin; no space, program or network; a build that failed.
    """
    if request.origin not in ORIGINS:
        raise RigError(f"unknown origin `{request.origin}`", f"give one of {', '.join(ORIGINS)}")
    store = store if store is not None else Store()
    try:
        with store.occupied():
            return Assembly(store, checkout_root(), request, reporter).image()
    except OSError as error:
        raise explained(error, store.root) from error


def missing_kinds(store: Store) -> list[str]:
    """The kinds of components that the next `ensure_image` would have to build, in no order."""
    if not store.has(KEYS):
        return ["keys", *KINDS_BUILT]
    parts = find_parts(store, checkout_root())
    return [] if store.has(parts.image) else parts.missing(store)


def find_parts(store: Store, checkout: Path) -> Parts:
    """What the checkout's image is made of; the cache has its keys already."""
    source = source_component()
    return Parts(
        source=source,
        kernel=kernel_component(checkout, source),
        rootfs=rootfs_component(checkout, store.path(KEYS)),
        platform=platform_component(checkout),
    )


class Assembly:
    """One way through: each missing component in turn, then the folder of links to them."""

    def __init__(self, store: Store, checkout: Path, request: ImageRequest, reporter: Reporter) -> None:
        self._store = store
        self._checkout = checkout
        self._reporter = reporter
        self._rebuild = request.rebuild
        self._jobs = request.jobs or len(os.sched_getaffinity(0))

    def image(self) -> Image:
        self._store.sweep()
        self._store.ensure(KEYS, make_keys, self._reporter, "making the keys")
        parts = find_parts(self._store, self._checkout)
        if self._rebuild or not self._store.has(parts.image):
            self._build_parts(parts)
        place = self._store.ensure(
            parts.image,
            self._compose(parts),
            self._reporter,
            "putting the image together",
            rebuild=self._rebuild,
        )
        os.utime(place)
        return open_image(place)

    def _build_parts(self, parts: Parts) -> None:
        building = list(KINDS_BUILT) if self._rebuild else parts.missing(self._store)
        check_prerequisites(self._store.root, building)
        platform = PlatformRecipe(self._checkout, self._jobs)
        rootfs = RootfsRecipe(self._checkout, self._store.path(KEYS), self._jobs)
        kernel = KernelRecipe(self._checkout, self._store.path(parts.source), self._jobs)
        self._ensure(parts.platform, platform.build, "building the emulated board")
        self._ensure(parts.rootfs, rootfs.build, "building the root file system")
        if self._rebuild or not self._store.has(parts.kernel):
            self._ensure(parts.source, fetch_source, "fetching the kernel's source")
        self._ensure(parts.kernel, kernel.build, "building the kernel")

    def _ensure(self, component: Component, build: Builder, title: str) -> None:
        self._store.ensure(component, build, self._reporter, title, rebuild=self._rebuild)

    def _compose(self, parts: Parts) -> Builder:
        def compose(folder: Path, workshop: Workshop, step: Step) -> None:  # noqa: ARG001  the shape of a builder
            kernel, rootfs = self._store.path(parts.kernel), self._store.path(parts.rootfs)
            os.link(kernel / KERNEL, folder / KERNEL)
            os.link(kernel / "config", folder / "kernel.config")
            os.link(kernel / "System.map", folder / "System.map")
            os.link(rootfs / DISK, folder / DISK)
            for name in (HOST_KEY, LOGIN_KEY):
                os.link(self._store.path(KEYS) / name, folder / name)
            platform = self._store.path(parts.platform)
            shutil.copytree(platform, folder / PLATFORM, copy_function=os.link, ignore=_makefile_leftovers)
            write_manifest(folder, self._manifest(parts))

        return compose

    def _manifest(self, parts: Parts) -> Mapping[str, object]:
        kernel = read_manifest(self._store.path(parts.kernel))
        rootfs = read_manifest(self._store.path(parts.rootfs))
        folders = {"kernel": KERNEL, "rootfs": DISK}
        paths = {name: self._store.path(getattr(parts, name)) / file for name, file in folders.items()}
        return {
            "hash": parts.image.digest,
            "origin": "debian",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "kernel_version": kernel["version"],
            "kernel": kernel,
            "rootfs": rootfs,
            "components": {name: getattr(parts, name).digest for name in KINDS_BUILT},
            "sizes": {name: path.stat().st_size for name, path in paths.items()},
        }


def _makefile_leftovers(folder: str, names: list[str]) -> list[str]:  # noqa: ARG001  shutil.copytree's signature
    return [name for name in names if name == "obj"]
