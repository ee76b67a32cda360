"""The image made by Buildroot: which components it takes, and how they become one folder."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image import kconfig
from hybrid_hil.image.build_context import BuildContext
from hybrid_hil.image.buildroot import recipe
from hybrid_hil.image.buildroot.configuration import files_named_in, read_settings
from hybrid_hil.image.buildroot.recipe import EXTERNAL, BuildrootRecipe, Places
from hybrid_hil.image.buildroot.release import PINNED, ReleaseRecipe, release_component
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.buildroot.tree import Tree, open_tree
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import MANIFEST, Image, read_manifest, write_manifest
from hybrid_hil.image.keys import AUTHORIZED_KEYS
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.prerequisites import check_prerequisites
from hybrid_hil.image.store import Component, Store, remove_tree
from hybrid_hil.terminal import Step

DOWNLOADS = Component("downloads", "buildroot")
CCACHE = Component("ccache", "buildroot")
# What takes room of its own: Go, Rust, and the sources of all that is vendored.
_ENGINES = {f"BR2_PACKAGE_{name}=y" for name in ("CONTAINERD", "DOCKER_ENGINE", "PODMAN")}
_WITH_ENGINES = "output with engines"


@dataclass(frozen=True)
class BuildrootParts:
    """The components of one image: `output` is where Buildroot works, `system` what it made there, `release` where its
    sources come from unless somebody gave them."""

    output: Component
    system: Component
    release: Component | None

    @property
    def image(self) -> Component:
        inputs = Fingerprint()
        inputs.recipe(Path(__file__))
        inputs.text("parts", str(self.system))
        return Component("image", inputs.digest())

    def named(self) -> dict[str, str]:
        """For an image's manifest: what it takes to make it again."""
        parts = (self.system, self.output, self.release)
        return {part.kind: part.digest for part in parts if part is not None}


def find_parts(context: BuildContext, tree: Tree | None, request: BuildrootRequest) -> BuildrootParts:
    """Equal sources of Buildroot, external trees and settings share a place to work; what comes from the rest of the
    checkout is made anew in it. Without a `tree` the pinned release is meant, whether it is there or not."""
    external = context.checkout / EXTERNAL
    release = release_component(PINNED) if tree is None else None
    texts = read_settings(request.settings)
    output = Fingerprint()
    output.text("tree", tree.identity if tree is not None else release_component(PINNED).digest)
    output.text("defconfig", request.defconfig)
    output.tree("external", external, leave_out=("README.md",))
    output.recipe(Path(kconfig.__file__))
    output.text("settings", *texts)
    for file in files_named_in(texts):
        output.file(str(file), file)
    system = Fingerprint()
    system.text("output", output.digest())
    system.recipe(Path(recipe.__file__))
    system.tree("runtime", context.checkout / "runtime")
    system.tree("qemu", context.checkout / "qemu", leave_out=("build", "README.md"))
    system.file("keys", context.store.path(KEYS) / AUTHORIZED_KEYS)
    return BuildrootParts(Component("output", output.digest()), Component("buildroot", system.digest()), release)


def places(store: Store, output: Path) -> Places:
    """Downloads and compiled objects go where the environment says, else into the cache."""
    downloads = Path(os.environ.get("BR2_DL_DIR") or store.path(DOWNLOADS)).absolute()
    ccache = Path(os.environ.get("BR2_CCACHE_DIR") or store.path(CCACHE)).absolute()
    for folder in (downloads, ccache):
        folder.mkdir(parents=True, exist_ok=True)
    return Places(output, downloads, ccache, store.path(KEYS))


class BuildrootAssembly:
    """One way through: the release if no tree was given, one build, then the folder of links to it."""

    def __init__(self, context: BuildContext, request: BuildrootRequest) -> None:
        known = defconfigs(context.checkout)
        if request.defconfig not in known:
            raise RigError(f"no defconfig `{request.defconfig}`", f"give one of {', '.join(known)}", exit_code=2)
        self._context = context
        self._store = context.store
        self._request = request
        self._given = None if request.tree is None else open_tree(request.tree)
        self._parts = find_parts(context, self._given, request)

    def missing(self) -> list[str]:
        parts, store = self._parts, self._store
        if store.has(parts.image) or store.has(parts.system):
            return []
        wanted = [part for part in (parts.release, parts.output, parts.system) if part is not None]
        kinds = [part.kind for part in wanted if not store.has(part)]
        return [_WITH_ENGINES if kind == parts.output.kind and self._has_engines() else kind for kind in kinds]

    def _has_engines(self) -> bool:
        defconfig = self._context.checkout / EXTERNAL / "configs" / self._request.defconfig
        texts = [defconfig.read_text(), *read_settings(self._request.settings)]
        return not _ENGINES.isdisjoint("\n".join(texts).splitlines())

    def image(self) -> Image:
        parts = self._parts
        if self._context.rebuild or not (self._store.has(parts.image) or self._store.has(parts.system)):
            self._build()
        return self._context.put_together(parts.image, Composition(self._store.path(parts.system), parts))

    def _tree(self) -> Tree:
        """Pinned by its digest, a release is never fetched again."""
        if self._given is not None:
            return self._given
        release = release_component(PINNED)
        title = f"fetching Buildroot {PINNED.version}"
        folder = self._store.ensure(release, ReleaseRecipe(PINNED).build, self._context.reporter, title)
        return open_tree(folder, release.digest)

    def _build(self) -> None:
        context, parts = self._context, self._parts
        check_prerequisites(self._store.root, [*self.missing(), parts.system.kind])
        tree = self._tree()
        title = f"building with Buildroot {tree.version}"
        with self._store.workplace(parts.output, context.reporter, title) as output:
            if context.rebuild:
                remove_tree(output)
                output.mkdir()
            built = BuildrootRecipe(context.checkout, tree, self._request, places(self._store, output), context.jobs)
            context.ensure(parts.system, built.build, title)


@dataclass(frozen=True)
class Composition:
    """An image's folder as links to what the build has made."""

    system: Path
    parts: BuildrootParts

    def __call__(self, folder: Path, runner: BuildRunner, step: Step) -> None:  # noqa: ARG002  the shape of a builder
        ignored = shutil.ignore_patterns(MANIFEST)
        shutil.copytree(self.system, folder, copy_function=os.link, ignore=ignored, dirs_exist_ok=True)
        own = {"hash": self.parts.image.digest, "components": self.parts.named()}
        write_manifest(folder, {**read_manifest(self.system), **own})


def defconfigs(checkout: Path) -> list[str]:
    """The names of the configurations in the external tree."""
    return sorted(path.name for path in (checkout / EXTERNAL / "configs").glob("*_defconfig"))
