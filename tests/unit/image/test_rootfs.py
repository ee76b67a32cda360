"""Unpacked packages become a system that boots."""

import os
import stat
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian.packages import merge_usr
from hybrid_hil.image.debian.release import DEFAULT
from hybrid_hil.image.debian.request import debian_request
from hybrid_hil.image.debian.rootfs import OVERLAY, applets, furnish, overlays, settle_times
from hybrid_hil.image.keys import AUTHORIZED_KEYS, DROPBEAR_HOST_KEY

TABLE = b"ELF\0..\0[\0[[\0init\0mount\0poweroff\0sh\0tar\0\0rest\0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What mmdebstrap leaves: programs and libraries, in / and in /usr, documentation, apt's own files."""
    files = {
        "bin/busybox": TABLE,
        "bin/tar": b"the real tar",
        "lib/ld-linux-aarch64.so.1": b"loader",
        "lib/aarch64-linux-gnu/libc.so.6": b"libc",
        "usr/lib/aarch64-linux-gnu/libz.so.1": b"libz",
        "usr/sbin/dropbear": b"dropbear",
        "usr/share/doc/tar/README": b"text",
        "var/cache/apt/archives/tar_1_arm64.deb": b"deb",
        "etc/apt/sources.list": b"deb",
        "dev/null": b"",
    }
    for name, data in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "root/sbin").mkdir()
    return tmp_path / "root"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    for name, mode in ((DROPBEAR_HOST_KEY, 0o600), (AUTHORIZED_KEYS, 0o444)):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
    return folder


@pytest.fixture
def furnished(root: Path, keys: Path) -> Path:
    furnish(root, [checkout_root() / OVERLAY], keys, DEFAULT)
    return root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_and_shell_are_where_the_kernel_looks(furnished: Path) -> None:
    for name in ("sbin/init", "bin/sh", "usr/bin/sh"):
        assert (furnished / name).resolve() == furnished / "usr/bin/busybox"


def test_packages_win_over_applets(furnished: Path) -> None:
    assert (furnished / "bin/tar").read_bytes() == b"the real tar"


def test_one_usr(furnished: Path) -> None:
    assert [str((furnished / name).readlink()) for name in ("bin", "lib", "sbin")] == ["usr/bin", "usr/lib", "usr/sbin"]
    assert (furnished / "lib/aarch64-linux-gnu/libz.so.1").is_file()
    assert (furnished / "usr/lib/aarch64-linux-gnu/libc.so.6").is_file()
    assert (furnished / "lib/firmware").is_dir()


def test_keys_are_in_place_and_private(furnished: Path) -> None:
    assert mode(furnished / "etc/dropbear" / DROPBEAR_HOST_KEY) == 0o600
    assert mode(furnished / "root/.ssh") == 0o700
    assert (furnished / "root/.ssh/authorized_keys").read_text() == AUTHORIZED_KEYS


def test_nobody_has_a_password(furnished: Path) -> None:
    passwords = [line.split(":")[1] for line in (furnished / "etc/shadow").read_text().splitlines()]
    assert passwords == ["*", "*"]
    assert mode(furnished / "etc/shadow") == 0o600


def test_what_no_board_needs_is_gone(furnished: Path) -> None:
    assert not [name for name in ("usr/share/doc", "var/cache", "etc/apt") if (furnished / name).exists()]
    assert list((furnished / "dev").iterdir()) == []


def test_scripts_of_the_overlay_can_be_run(furnished: Path) -> None:
    scripts = list((furnished / "etc/init.d").iterdir())
    assert {"rcS", "rcK"} < {path.name for path in scripts}
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []


def test_systemd_is_init_where_it_is_inside(root: Path, keys: Path) -> None:
    (root / "usr/sbin").mkdir(parents=True, exist_ok=True)
    (root / "usr/sbin/init").symlink_to("../lib/systemd/systemd")
    # Packages of systemd bring this one, and so does the overlay.
    (root / "var/run/dbus").mkdir(parents=True)
    found = overlays(debian_request("13", None, ["podman", "systemd"]))
    assert found[0] == OVERLAY
    furnish(root, [checkout_root() / overlay for overlay in found], keys, DEFAULT)
    assert str((root / "sbin/init").readlink()) == "../lib/systemd/systemd"
    units = root / "etc/systemd/system"
    wanted = list(units.glob("*.target.wants/*"))
    assert {path.name for path in wanted} == {f"hybrid-{name}.service" for name in ("board", "board-begin", "console")}
    assert all(path.resolve().is_file() for path in wanted)
    assert (units / "serial-getty@ttyAMA0.service").readlink() == Path("/dev/null")
    assert len((root / "etc/machine-id").read_text().strip()) == 32
    assert overlays(debian_request(None, None, ["podman"])) == (OVERLAY,)


def test_merging_twice_changes_nothing(furnished: Path) -> None:
    merge_usr(furnished)
    assert (furnished / "lib/aarch64-linux-gnu/libc.so.6").is_file()


def test_packages_that_have_nothing_outside_usr(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    merge_usr(tmp_path)
    assert all((tmp_path / name).resolve() == tmp_path / "usr" / name for name in ("bin", "lib", "sbin"))


@pytest.mark.parametrize("before", [b"\0", b"\x20"], ids=["1.35", "1.37"])
def test_applets_are_read_from_the_program(before: bytes) -> None:
    assert applets(TABLE.replace(b"\0[\0", before + b"[\0")) == ["[", "[[", "init", "mount", "poweroff", "sh", "tar"]


@pytest.mark.parametrize("binary", [b"", b"ELF without any table", b"ELF\0[\0[[\0cat\0\0"])
def test_program_without_applets_is_refused(binary: bytes) -> None:
    with pytest.raises(RigError, match="no table of commands"):
        applets(binary)


def test_times_are_settled(furnished: Path) -> None:
    settle_times(furnished)
    times = {path.lstat().st_mtime for path in furnished.rglob("*")}
    assert len(times) == 1
