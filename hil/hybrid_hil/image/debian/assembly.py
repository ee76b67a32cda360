"""The image made from Debian packages: which components it takes, and how they become one folder."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hybrid_hil.image.build_context import BuildContext
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.interpreter import fetch_interpreter, interpreter_component
from hybrid_hil.image.debian.kernel import KernelRecipe, fragments_for, kernel_component
from hybrid_hil.image.debian.platform import PlatformRecipe, platform_component
from hybrid_hil.image.debian.request import DebianRequest
from hybrid_hil.image.debian.rootfs import RootfsRecipe, rootfs_component
from hybrid_hil.image.debian.source import fetch_source, source_component
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import (
    CONFIGURATION,
    DISK,
    HOST_KEY,
    KERNEL,
    LOGIN_KEY,
    PLATFORM,
    SYMBOLS,
    Image,
    read_manifest,
    write_manifest,
)
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.prerequisites import check_prerequisites
from hybrid_hil.image.store import Builder, Component, Store
from hybrid_hil.terminal import Step

KINDS_BUILT = ("source", "kernel", "interpreter", "rootfs", "platform")


@dataclass(frozen=True)
class DebianParts:
    """The components of one image."""

    source: Component
    kernel: Component
    interpreter: Component
    rootfs: Component
    platform: Component

    def missing(self, store: Store) -> list[str]:
        """The kinds that `store` lacks. The kernel's source is wanted for the kernel only, the interpreter for the root
        file system."""
        wanted = [part for part in (self.kernel, self.rootfs, self.platform) if not store.has(part)]
        ingredients = {self.kernel: self.source, self.rootfs: self.interpreter}
        first = [ingredients[part] for part in wanted if part in ingredients and not store.has(ingredients[part])]
        return [part.kind for part in (*first, *wanted)]

    @property
    def image(self) -> Component:
        inputs = Fingerprint()
        inputs.recipe(Path(__file__))
        inputs.text("parts", *(str(part) for part in (self.kernel, self.rootfs, self.platform)))
        return Component("image", inputs.digest())


def find_parts(store: Store, checkout: Path, request: DebianRequest) -> DebianParts:
    """What the checkout's image is made of; the cache has its keys already."""
    source = source_component(request.kernel)
    return DebianParts(
        source=source,
        kernel=kernel_component(checkout, source, fragments_for(request.engines, request.kernel)),
        interpreter=interpreter_component(request.release),
        rootfs=rootfs_component(checkout, store.path(KEYS), request),
        platform=platform_component(checkout),
    )


class DebianAssembly:
    """One way through: each missing component in turn, then the folder of links to them."""

    def __init__(self, context: BuildContext, request: DebianRequest) -> None:
        self._context = context
        self._store = context.store
        self._request = request

    def missing(self) -> list[str]:
        parts = self._find_parts()
        return [] if self._store.has(parts.image) else parts.missing(self._store)

    def image(self) -> Image:
        parts = self._find_parts()
        if self._context.rebuild or not self._store.has(parts.image):
            self._build_parts(parts)
        return self._context.put_together(parts.image, self._compose(parts))

    def _find_parts(self) -> DebianParts:
        return find_parts(self._store, self._context.checkout, self._request)

    def _build_parts(self, parts: DebianParts) -> None:
        context, request, store = self._context, self._request, self._store
        building = list(KINDS_BUILT) if context.rebuild else parts.missing(store)
        check_prerequisites(store.root, building)
        platform = PlatformRecipe(context.checkout, context.jobs)
        context.ensure(parts.platform, platform.build, "building the emulated board")
        if "interpreter" in building:
            fetch = partial(fetch_interpreter, request.release)
            context.ensure(parts.interpreter, fetch, f"fetching Python of Debian {request.release.name}")
        rootfs = RootfsRecipe(context.checkout, store.path(KEYS), store.path(parts.interpreter), request)
        context.ensure(parts.rootfs, rootfs.build, "building the root file system")
        if "source" in building:
            context.ensure(parts.source, partial(fetch_source, request.kernel), "fetching the kernel's source")
        fragments = fragments_for(request.engines, request.kernel)
        kernel = KernelRecipe(context.checkout, store.path(parts.source), context.jobs, fragments)
        context.ensure(parts.kernel, kernel.build, "building the kernel")

    def _compose(self, parts: DebianParts) -> Builder:
        def compose(folder: Path, runner: BuildRunner, step: Step) -> None:  # noqa: ARG001  the shape of a builder
            kernel, rootfs = self._store.path(parts.kernel), self._store.path(parts.rootfs)
            os.link(kernel / KERNEL, folder / KERNEL)
            os.link(kernel / "config", folder / CONFIGURATION)
            os.link(kernel / "System.map", folder / SYMBOLS)
            os.link(rootfs / DISK, folder / DISK)
            for name in (HOST_KEY, LOGIN_KEY):
                os.link(self._store.path(KEYS) / name, folder / name)
            platform = self._store.path(parts.platform)
            shutil.copytree(platform, folder / PLATFORM, copy_function=os.link, ignore=_makefile_leftovers)
            write_manifest(folder, self._manifest(parts))

        return compose

    def _manifest(self, parts: DebianParts) -> Mapping[str, object]:
        kernel = read_manifest(self._store.path(parts.kernel))
        rootfs = read_manifest(self._store.path(parts.rootfs))
        folders = {"kernel": KERNEL, "rootfs": DISK}
        paths = {name: self._store.path(getattr(parts, name)) / file for name, file in folders.items()}
        return {
            "hash": parts.image.digest,
            "origin": "debian",
            "debian": self._request.release.name,
            "engines": list(self._request.engines),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "kernel_version": kernel["version"],
            "kernel": kernel,
            "rootfs": rootfs,
            "components": {name: getattr(parts, name).digest for name in KINDS_BUILT},
            "sizes": {name: path.stat().st_size for name, path in paths.items()},
        }


def _makefile_leftovers(folder: str, names: list[str]) -> list[str]:  # noqa: ARG001  shutil.copytree's signature
    return [name for name in names if name == "obj"]
