"""The order of a Buildroot build, what it goes on with, and what makes it build again; Buildroot itself is a double."""

import os
import shutil
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import assembly, prerequisites
from hybrid_hil.image.assembly import ImageRequest, ensure_image
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.folder import Image
from hybrid_hil.image.retention import superfluous
from hybrid_hil.image.store import Component, Store
from hybrid_hil.terminal import Reporter
from tests.unit.image.buildroot_double import HOST, TARGET, TreeMaker, write_tools


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


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Buildroot needs is asked for before it is run, and not all machines have it."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{write_tools(tmp_path / 'tools')}")


class Builds:
    """Asks for images and knows what make was told to do and what it built in the meantime."""

    def __init__(self, store: Store, reporter: Reporter) -> None:
        self.store = store
        self._reporter = reporter

    def image(self, tree: Path, *, rebuild: bool = False, **given: object) -> Image:
        buildroot = BuildrootRequest(tree=tree, **given)  # type: ignore[arg-type]
        return ensure_image(ImageRequest("buildroot", 2, rebuild, buildroot=buildroot), self._reporter, self.store)

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
    assert image.manifest["packages"] == {**TARGET, **HOST}
    assert image.login_key.stat().st_mode & 0o777 == 0o600
    assert (image.platform / "monitor.elf").is_file()


def test_engines_take_more_room(
    builds: Builds, make_tree: TreeMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen by a defconfig of the checkout, or by settings of one's own."""
    monkeypatch.setattr(prerequisites, "free_mebibytes", lambda _: 9000)
    settings = tmp_path / "podman.config"
    settings.write_text("BR2_PACKAGE_PODMAN=y\n")
    for chosen in ({"defconfig": "hybrid_versal_virt_engines_defconfig"}, {"settings": (settings,)}):
        with pytest.raises(RigError, match=r"building needs \d+ MiB at .*, where 9000 MiB are free"):
            builds.image(make_tree(), **chosen)
    builds.image(make_tree())


def test_sources_come_before_the_build_and_into_the_cache(builds: Builds, make_tree: TreeMaker) -> None:
    builds.image(make_tree())
    output = next(builds.store.root.glob("output/*/goals"))
    goals = output.read_text().splitlines()
    assert goals[:2] == ["defconfig", "source"]
    cache = builds.store.root
    assert goals[-1] == f"all downloads={cache}/downloads/buildroot keys={cache}/keys/ed25519"


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
    assert sorted(builds.goals()) == [
        "all",
        "built-hybrid-board-firmware-0.2.0",
        "built-hybrid-runtime-0.2.0",
        "defconfig",
        "hybrid-board-firmware-dirclean",
        "hybrid-runtime-dirclean",
        "source",
    ]
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
    """The tree is named by its contents, so the failure has to come from outside of it. What was at work when the build
    died is made anew, what was done before is not."""
    switch = builds.store.root.parent / "works-now"
    tree = make_tree(failure=f"@test -e {switch}")
    with pytest.raises(RigError) as raised:
        builds.image(tree)
    assert "goes on with the package" in raised.value.remedy
    builds.goals()
    place = next(builds.store.root.glob("output/*"))
    (place / "build/busybox-1.37.0/.stamp_installed").unlink()
    (place / "build/busybox-1.37.0/half-written.o").touch()
    (place / "per-package/busybox").mkdir(parents=True)
    (place / "target/stale").mkdir(parents=True)
    switch.touch()
    builds.image(tree)
    assert sorted(goal for goal in builds.goals() if goal.startswith("built")) == [
        "built-busybox-1.37.0",
        "built-hybrid-board-firmware-0.2.0",
        "built-hybrid-runtime-0.2.0",
    ]
    assert not (place / "build/busybox-1.37.0/half-written.o").exists()
    assert not (place / "per-package/busybox").exists()
    assert not (place / "target/stale").exists()


def test_rebuild_begins_anew(builds: Builds, make_tree: TreeMaker) -> None:
    builds.image(make_tree())
    place = next(builds.store.root.glob("output/*"))
    (place / "half-built").touch()
    builds.image(make_tree(), rebuild=True)
    assert not (place / "half-built").exists()


def test_dropped_symbol_fails_before_anything_is_fetched(builds: Builds, make_tree: TreeMaker) -> None:
    with pytest.raises(RigError, match="dropped `BR2_PACKAGE_STRACE=y`"):
        builds.image(make_tree(drop="grep -v STRACE"))
    assert builds.goals() == ["defconfig"]


def test_unknown_defconfig_is_refused(builds: Builds, make_tree: TreeMaker) -> None:
    with pytest.raises(RigError, match="no defconfig `toaster_defconfig`") as raised:
        builds.image(make_tree(), defconfig="toaster_defconfig")
    assert "hybrid_versal_virt_defconfig" in raised.value.remedy


def test_contents_of_named_files_are_inputs(builds: Builds, make_tree: TreeMaker, tmp_path: Path) -> None:
    fragment, settings = tmp_path / "more.fragment", tmp_path / "settings"
    fragment.write_text("CONFIG_HID=y\n")
    settings.write_text(f'BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES="{fragment} {tmp_path}"\n')
    before = builds.image(make_tree(), settings=(settings,)).folder
    fragment.write_text("CONFIG_HID=m\n")
    assert builds.image(make_tree(), settings=(settings,)).folder != before


def test_places_of_images_that_are_kept_survive_cleaning(builds: Builds, make_tree: TreeMaker) -> None:
    builds.image(make_tree())
    assert superfluous(builds.store, keep=1) == []
    assert {part.kind for part in superfluous(builds.store, keep=0)} == {"image", "buildroot", "output"}


def test_interrupted_after_the_build_costs_no_other_one(builds: Builds, make_tree: TreeMaker) -> None:
    """Only the links are missing."""
    image = builds.image(make_tree())
    builds.goals()
    builds.store.remove(Component("image", image.folder.name))
    assert builds.image(make_tree()).folder == image.folder
    assert builds.goals() == []


def test_builds_that_could_not_go_on_are_refused(builds: Builds, make_tree: TreeMaker, tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.write_text("# BR2_PER_PACKAGE_DIRECTORIES is not set\n")
    with pytest.raises(RigError, match="PER_PACKAGE_DIRECTORIES"):
        builds.image(make_tree(drop="grep -v PER_PACKAGE"), settings=(settings,))


@pytest.mark.parametrize(
    ("printed", "remedy"),
    [
        ("ERROR: busybox.tar has wrong sha256 hash", "vouches for"),
        ("wget: unable to resolve host address", "BR2_PRIMARY_SITE"),
        ("cp: No space left on device", "free some space"),
        ("fatal error: zlib.h: No such file", "hil doctor"),
    ],
)
def test_remedies_are_buildroots_own(builds: Builds, make_tree: TreeMaker, printed: str, remedy: str) -> None:
    with pytest.raises(RigError) as raised:
        builds.image(make_tree(failure=f"@echo '{printed}'; exit 1"))
    assert remedy in raised.value.remedy
    assert "Debian mirror" not in raised.value.remedy
