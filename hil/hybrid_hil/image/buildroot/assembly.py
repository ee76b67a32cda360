"""The image made by Buildroot: which components it takes, and how they become one folder."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot import configuration, recipe
from hybrid_hil.image.buildroot.recipe import EXTERNAL, BuildrootRecipe, Places
from hybrid_hil.image.buildroot.release import PINNED, ReleaseRecipe, release_component
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.buildroot.tree import Tree, open_tree
from hybrid_hil.image.child import Workshop
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import MANIFEST, Image, read_manifest, write_manifest
from hybrid_hil.image.keys import AUTHORIZED_KEYS
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.prerequisites import check_prerequisites
from hybrid_hil.image.site import Site
from hybrid_hil.image.store import Component, remove_tree
from hybrid_hil.terminal import Step

DOWNLOADS = Component("downloads", "buildroot")
CCACHE = Component("ccache", "buildroot")


@dataclass(frozen=True)
class Parts:
    """The components of one image: `output` is where Buildroot works, `system` what it made there."""

    output: Component
    system: Component

    @property
    def image(self) -> Component:
        inputs = Fingerprint()
        inputs.recipe(Path(__file__))
        inputs.text("parts", str(self.system))
        return Component("image", inputs.digest())


def find_parts(site: Site, tree_identity: str, request: BuildrootRequest) -> Parts:
    """Equal sources of Buildroot, external trees and settings share a place to work; what comes from the rest of the
    checkout is made anew in it."""
    external = site.checkout / EXTERNAL
    output = Fingerprint()
    output.text("tree", tree_identity)
    output.text("defconfig", request.defconfig)
    output.tree("external", external, leave_out=("README.md",))
    output.text("settings", *configuration.read_settings(request.settings))
    system = Fingerprint()
    system.text("output", output.digest())
    system.recipe(Path(recipe.__file__))
    system.tree("runtime", site.checkout / "runtime")
    system.tree("qemu", site.checkout / "qemu", leave_out=("build", "README.md"))
    system.file("keys", site.store.path(KEYS) / AUTHORIZED_KEYS)
    return Parts(Component("output", output.digest()), Component("buildroot", system.digest()))


class BuildrootAssembly:
    """One way through: the release if no tree was given, one build, then the folder of links to it."""

    def __init__(self, site: Site, request: BuildrootRequest) -> None:
        self._site = site
        self._store = site.store
        self._request = request
        self._release = release_component(PINNED)
        self._given = None if request.tree is None else open_tree(request.tree)
        known = defconfigs(site.checkout)
        if request.defconfig not in known:
            raise RigError(f"no defconfig `{request.defconfig}`", f"give one of {', '.join(known)}")

    def missing(self) -> list[str]:
        parts = self._parts()
        release = [self._release] if self._given is None else []
        wanted = [part for part in (*release, parts.system) if not self._store.has(part)]
        return [] if self._store.has(parts.image) else [part.kind for part in wanted]

    def image(self) -> Image:
        parts = self._parts()
        if self._site.rebuild or not self._store.has(parts.image):
            self._build(parts)
        return self._site.put_together(parts.image, self._compose(parts))

    def _parts(self) -> Parts:
        identity = self._given.identity if self._given is not None else self._release.digest
        return find_parts(self._site, identity, self._request)

    def _tree(self) -> Tree:
        if self._given is not None:
            return self._given
        folder = self._site.ensure(self._release, ReleaseRecipe(PINNED).build, f"fetching Buildroot {PINNED.version}")
        return open_tree(folder, self._release.digest)

    def _build(self, parts: Parts) -> None:
        site, store = self._site, self._store
        check_prerequisites(store.root, ["buildroot"] if site.rebuild else self.missing())
        tree = self._tree()
        title = f"building with Buildroot {tree.version}"
        with store.workplace(parts.output, site.reporter, title) as output:
            if site.rebuild:
                remove_tree(output)
                output.mkdir()
            build = BuildrootRecipe(site.checkout, tree, self._request, self._places(output), site.jobs)
            site.ensure(parts.system, build.build, title)

    def _places(self, output: Path) -> Places:
        """Downloads and compiled objects go where the environment says, else into the cache."""
        downloads = Path(os.environ.get("BR2_DL_DIR") or self._store.path(DOWNLOADS))
        ccache = Path(os.environ.get("BR2_CCACHE_DIR") or self._store.path(CCACHE))
        for folder in (downloads, ccache):
            folder.mkdir(parents=True, exist_ok=True)
        return Places(output, downloads, ccache, self._store.path(KEYS))

    def _compose(self, parts: Parts) -> "Composition":
        return Composition(self._store.path(parts.system), parts)


@dataclass(frozen=True)
class Composition:
    """An image's folder as links to what the build has made."""

    system: Path
    parts: Parts

    def __call__(self, folder: Path, workshop: Workshop, step: Step) -> None:  # noqa: ARG002  the shape of a builder
        ignored = shutil.ignore_patterns(MANIFEST)
        shutil.copytree(self.system, folder, copy_function=os.link, ignore=ignored, dirs_exist_ok=True)
        components = {part.kind: part.digest for part in (self.parts.system, self.parts.output)}
        manifest = {**read_manifest(self.system), "hash": self.parts.image.digest, "components": components}
        write_manifest(folder, manifest)


def defconfigs(checkout: Path) -> list[str]:
    """The names of the configurations in the external tree."""
    return sorted(path.name for path in (checkout / EXTERNAL / "configs").glob("*_defconfig"))
