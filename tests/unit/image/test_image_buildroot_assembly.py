"""The order of a Buildroot build, what it goes on with, and what makes it build again; Buildroot itself is a double."""

import shutil
from pathlib import Path

import pytest
from buildroot_double import TreeMaker

from hybrid_hil.checkout import checkout_root
from hybrid_hil.failure import RigError
from hybrid_hil.image import assembly
from hybrid_hil.image.assembly import ImageRequest, ensure_image
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.folder import Image
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import Reporter


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the image is made from, and no caches of the caller's."""
    copy = tmp_path / "checkout"
    for part in ("buildroot", "qemu", "runtime"):
        ignored = shutil.ignore_patterns("build", "__pycache__")
        shutil.copytree(checkout_root() / part, copy / part, symlinks=True, ignore=ignored)
    monkeypatch.setattr(assembly, "checkout_root", lambda: copy)
    for variable in ("BR2_DL_DIR", "BR2_CCACHE_DIR"):
        monkeypatch.delenv(variable, raising=False)
    return copy


class Builds:
    """Asks for images and knows what make was told to do in the meantime."""

    def __init__(self, store: Store, reporter: Reporter) -> None:
        self.store = store
        self._reporter = reporter

    def image(self, tree: Path, *, rebuild: bool = False, **given: object) -> Image:
        buildroot = BuildrootRequest(tree=tree, **given)  # type: ignore[arg-type]
        return ensure_image(ImageRequest("buildroot", 2, rebuild, buildroot), self._reporter, self.store)

    def goals(self) -> list[str]:
        """Since it was asked last, in every place there is."""
        found = []
        for file in sorted(self.store.root.glob("output/*/goals")):
            found += file.read_text().splitlines()
            file.unlink()
        return [line.split()[0] for line in found]


@pytest.fixture
def builds(store: Store, reporter: Reporter) -> Builds:
    return Builds(store, reporter)


def test_image_is_whole_and_says_what_it_is(builds: Builds, make_tree: TreeMaker) -> None:
    image = builds.image(make_tree())
    assert image.manifest["origin"] == "buildroot"
    assert image.manifest["hash"] == image.folder.name
    assert image.manifest["buildroot"] == "2026.02.3"
    assert image.manifest["kernel_version"] == "6.12.1"
    assert image.manifest["packages"] == {"busybox": "1.37.0", "host-dtc": "1.7.2"}
    assert image.login_key.stat().st_mode & 0o777 == 0o600
    assert (image.platform / "monitor.elf").is_file()


def test_sources_come_before_the_build_and_into_the_cache(builds: Builds, make_tree: TreeMaker) -> None:
    builds.image(make_tree())
    output = next(builds.store.root.glob("output/*/goals"))
    goals = output.read_text().splitlines()
    assert goals[:2] == ["defconfig", "source"]
    cache = builds.store.root
    assert goals[2] == f"all downloads={cache}/downloads/buildroot keys={cache}/keys/ed25519"


def test_second_time_costs_nothing(builds: Builds, make_tree: TreeMaker) -> None:
    first = builds.image(make_tree())
    builds.goals()
    assert builds.image(make_tree()) == first
    assert builds.goals() == []


@pytest.mark.parametrize("file", ["runtime/hybrid_runtime/new.py", "qemu/monitor/new.c"])
def test_own_sources_are_taken_anew_where_the_rest_stays(
    builds: Builds, make_tree: TreeMaker, checkout: Path, file: str
) -> None:
    first = builds.image(make_tree())
    builds.goals()
    (checkout / file).touch()
    assert builds.image(make_tree()).folder != first.folder
    assert builds.goals() == ["defconfig", "source", "hybrid-runtime-dirclean", "all"]
    assert len(builds.store.components("output")) == 1


def test_other_board_files_and_settings_get_places_of_their_own(
    builds: Builds, make_tree: TreeMaker, checkout: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings"
    settings.write_text("BR2_PACKAGE_HTOP=y\n")
    images = {builds.image(make_tree()).folder, builds.image(make_tree(), settings=(settings,)).folder}
    (checkout / "buildroot/board/versal-virt/overlay/etc/motd").touch()
    images.add(builds.image(make_tree()).folder)
    assert len(images) == len(builds.store.components("output")) == 3


def test_failed_build_goes_on_in_its_place(builds: Builds, make_tree: TreeMaker) -> None:
    """The tree is named by its contents, so the failure has to come from outside of it."""
    switch = builds.store.root.parent / "works-now"
    tree = make_tree(failure=f"@test -e {switch}")
    with pytest.raises(RigError) as raised:
        builds.image(tree)
    assert "goes on where this one stopped" in raised.value.remedy
    place = next(builds.store.root.glob("output/*"))
    (place / "half-built").touch()
    switch.touch()
    builds.image(tree)
    assert (place / "half-built").exists()


def test_rebuild_begins_anew(builds: Builds, make_tree: TreeMaker) -> None:
    builds.image(make_tree())
    place = next(builds.store.root.glob("output/*"))
    (place / "half-built").touch()
    builds.image(make_tree(), rebuild=True)
    assert not (place / "half-built").exists()


def test_dropped_symbol_fails_before_anything_is_fetched(builds: Builds, make_tree: TreeMaker) -> None:
    with pytest.raises(RigError, match="dropped BR2_PACKAGE_STRACE=y"):
        builds.image(make_tree(drop="grep -v STRACE"))
    assert builds.goals() == ["defconfig"]


def test_unknown_defconfig_is_refused(builds: Builds, make_tree: TreeMaker) -> None:
    with pytest.raises(RigError, match="no defconfig `toaster_defconfig`") as raised:
        builds.image(make_tree(), defconfig="toaster_defconfig")
    assert "hybrid_versal_virt_defconfig" in raised.value.remedy
