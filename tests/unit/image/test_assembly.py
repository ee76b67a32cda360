"""An image is named by all its inputs, put together from links, and asked for space before it is built."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import assembly, prerequisites
from hybrid_hil.image.assembly import ImageRequest, ensure_image, ensure_keys, missing_kinds
from hybrid_hil.image.debian import kernel, platform
from hybrid_hil.image.debian.assembly import find_parts
from hybrid_hil.image.debian.request import DebianRequest
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.keys import make_keys
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import Reporter

INPUTS = {
    "buildroot/board/versal-virt/linux.fragment": "kernel",
    "buildroot/board/versal-virt/linux-off.fragment": "kernel",
    "buildroot/board/versal-virt/overlay/etc/inittab": "rootfs",
    "qemu/Makefile": "platform",
}


USUAL = DebianRequest()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what images are made from, and compilers of a known version."""
    copy = tmp_path / "checkout"
    for part in ("buildroot", "qemu"):
        ignored = shutil.ignore_patterns("build")
        shutil.copytree(checkout_root() / part, copy / part, symlinks=True, ignore=ignored)
    pretend_compiler(monkeypatch, "12.2.0")
    monkeypatch.setattr(assembly, "checkout_root", lambda: copy)
    return copy


def pretend_compiler(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    for module in (kernel, platform):
        monkeypatch.setattr(module, "compiler_version", lambda _: version)


@pytest.fixture
def keyed(store: Store, reporter: Reporter) -> Store:
    store.ensure(KEYS, make_keys, reporter, "making the keys")
    return store


@pytest.mark.parametrize(("file", "kind"), INPUTS.items())
def test_each_file_renames_its_component_and_the_image(checkout: Path, keyed: Store, file: str, kind: str) -> None:
    before = find_parts(keyed, checkout, USUAL)
    with (checkout / file).open("a") as edited:
        edited.write("# CONFIG_CHANGED is not set\n")
    after = find_parts(keyed, checkout, USUAL)
    kinds = ("source", "kernel", "rootfs", "platform")
    assert [name for name in kinds if getattr(before, name) != getattr(after, name)] == [kind]
    assert before.image != after.image


def test_compiler_renames_what_it_compiles(checkout: Path, keyed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = find_parts(keyed, checkout, USUAL)
    pretend_compiler(monkeypatch, "13.1.0")
    after = find_parts(keyed, checkout, USUAL)
    assert (before.kernel, before.platform) != (after.kernel, after.platform)
    assert before.rootfs == after.rootfs


def test_other_keys_rename_the_root_file_system(checkout: Path, keyed: Store, reporter: Reporter) -> None:
    before = find_parts(keyed, checkout, USUAL)
    keyed.ensure(KEYS, make_keys, reporter, "making the keys", rebuild=True)
    assert find_parts(keyed, checkout, USUAL).rootfs != before.rootfs


def furnish_store(store: Store, checkout: Path) -> None:
    """Puts parts into the store as builds would."""
    parts = find_parts(store, checkout, USUAL)
    files = {
        parts.kernel: ("Image", "config", "System.map"),
        parts.rootfs: ("rootfs.ext4",),
        parts.platform: ("monitor.elf", "obj/monitor.o", "firmware/core0/hello.elf"),
    }
    for part, names in files.items():
        for name in names:
            path = store.path(part) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    (store.path(parts.kernel) / "manifest.json").write_text('{"version": "6.12.1"}')
    (store.path(parts.rootfs) / "manifest.json").write_text('{"packages": {}}')


def test_image_is_one_folder_of_links(checkout: Path, keyed: Store, reporter: Reporter) -> None:
    furnish_store(keyed, checkout)
    assert missing_kinds(keyed) == []
    image = ensure_image(ImageRequest(), reporter, keyed)
    assert missing_kinds(keyed) == []
    assert image.manifest["kernel_version"] == "6.12.1"
    assert image.manifest["hash"] == image.folder.name
    assert image.disk.samefile(keyed.path(find_parts(keyed, checkout, USUAL).rootfs) / "rootfs.ext4")
    assert (image.platform / "firmware/core0/hello.elf").is_file()
    assert not (image.platform / "obj").exists()
    assert not [path for path in image.folder.rglob("*") if path.is_symlink()]


@pytest.mark.usefixtures("checkout")
def test_cold_cache_lacks_everything(store: Store) -> None:
    assert set(missing_kinds(store)) == {"keys", "source", "kernel", "interpreter", "rootfs", "platform"}


def test_kernel_in_the_cache_needs_no_source(checkout: Path, keyed: Store) -> None:
    furnish_store(keyed, checkout)
    shutil.rmtree(keyed.path(find_parts(keyed, checkout, USUAL).rootfs))
    assert missing_kinds(keyed) == ["interpreter", "rootfs"]


def test_interpreter_in_the_cache_is_not_fetched_again(checkout: Path, keyed: Store) -> None:
    furnish_store(keyed, checkout)
    parts = find_parts(keyed, checkout, USUAL)
    shutil.rmtree(keyed.path(parts.rootfs))
    keyed.path(parts.interpreter).mkdir(parents=True)
    assert missing_kinds(keyed) == ["rootfs"]


@pytest.mark.usefixtures("checkout")
def test_full_disk_is_told_before_anything_is_built(
    keyed: Store, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "free_mebibytes", lambda _: 100)
    with pytest.raises(RigError, match="100 MiB are free") as raised:
        ensure_image(ImageRequest(), reporter, keyed)
    assert "XDG_CACHE_HOME" in raised.value.remedy
    assert [path.name for path in keyed.root.glob("*/*") if path.suffix != ".lock"].count("ed25519") == 1
    assert keyed.components("platform") == []


def test_unwritable_cache_is_told(reporter: Reporter) -> None:
    with pytest.raises(RigError) as raised:
        ensure_image(ImageRequest(), reporter, Store(Path("/proc/hybrid-hil")))
    assert raised.value.remedy


def test_unknown_origin_is_refused(reporter: Reporter, store: Store) -> None:
    with pytest.raises(RigError, match="`floppy`"):
        ensure_image(ImageRequest(origin="floppy"), reporter, store)


def fails_with(error: RigError) -> Callable[[str], str]:
    def fail(_: str) -> str:
        raise error

    return fail


@pytest.mark.usefixtures("checkout")
def test_missing_compiler_is_told(keyed: Store, reporter: Reporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "compiler_version", fails_with(RigError("this machine has no `gcc`", "install")))
    with pytest.raises(RigError, match="has no `gcc`"):
        ensure_image(ImageRequest(), reporter, keyed)


def test_comments_in_a_fragment_cost_no_kernel(checkout: Path, keyed: Store) -> None:
    before = find_parts(keyed, checkout, USUAL)
    with (checkout / "buildroot/board/versal-virt/linux.fragment").open("a") as edited:
        edited.write("# in other words\n")
    assert find_parts(keyed, checkout, USUAL) == before


def test_keys_of_an_unwritable_cache_are_told_as_well(reporter: Reporter) -> None:
    with pytest.raises(RigError) as raised:
        ensure_keys(reporter, Store(Path("/proc/hybrid-hil")))
    assert raised.value.remedy
