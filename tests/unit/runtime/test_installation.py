"""Firmware files where the kernel looks: their names, their coming and going."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.firmware import installation
from hybrid_runtime.firmware.installation import install, new_name, remove_installed, sha256, unique_name
from hybrid_runtime.firmware.search_path import firmware_folder
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths

TIME = "20261122T101112Z"


def take_any(copy: int) -> None:
    """A check that everything passes."""
    assert copy >= 0


@given(st.text(max_size=400))
def test_names_are_harmless(path: str) -> None:
    name = unique_name(path, "01234567", "89abcdef", TIME)
    assert re.fullmatch(r"[A-Za-z0-9._+-]{1,128}-20261122T101112Z-0123456789abcdef", name)
    assert len(name) + len(".tmp") <= 255


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/opt/fw.elf", "fw.elf"),
        ("modem.bin\nx", "modem.bin_x"),
        ("dir/", "firmware"),
        ("", "firmware"),
        ("a b", "a_b"),
        ("é", "_"),
        ("x" * 300, "x" * 128),
    ],
)
def test_base_names(path: str, base: str) -> None:
    assert unique_name(path, "b", "r", TIME) == f"{base}-{TIME}-br"


def test_new_names_differ(tmp_path: Path) -> None:
    system = SystemPaths(str(tmp_path))
    names = {new_name(system, "fw.elf") for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"fw\.elf-\d{8}T\d{6}Z-00000000[0-9a-f]{8}", name) for name in names)


def test_install_and_remove(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_000))
    target = tmp_path / "lib/firmware/fw"
    with source.open("rb") as file:
        file.seek(17)
        install(file.fileno(), str(target), take_any)
        assert sha256(file.fileno()) == __import__("hashlib").sha256(source.read_bytes()).hexdigest()
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o644
    (target.parent / "fw.tmp").write_bytes(b"half")
    remove_installed(str(target))
    remove_installed(str(target))
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "installed"), [(0o600, 0o600), (0o640, 0o600), (0o644, 0o644), (0o755, 0o644), (0o666, 0o644)]
)
def test_private_firmware_stays_private(tmp_path: Path, mode: int, installed: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"secret")
    source.chmod(mode)
    with source.open("rb") as file:
        install(file.fileno(), str(tmp_path / "lib/fw"), take_any)
    assert (tmp_path / "lib/fw").stat().st_mode & 0o777 == installed


def test_failed_install_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100)
    folder = tmp_path / "firmware"
    with source.open("rb") as file:
        monkeypatch.setattr(installation, "LARGEST_BYTES", 10)
        with pytest.raises(Failure, match="cannot install the firmware as"):
            install(file.fileno(), str(folder / "fw"), take_any)
        assert list(folder.iterdir()) == []
        with pytest.raises(Failure, match="at most 10"):
            installation.check_size(file.fileno())
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(Failure, match="cannot install"):
            install(file.fileno(), str(tmp_path / "file/fw"), take_any)


def test_the_copy_is_private_until_it_has_passed_the_check(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"as it was copied")
    target = tmp_path / "firmware/fw"
    seen = []

    def overwrite(copy: int) -> None:
        source.write_bytes(b"as it is written")
        seen.append((os.pread(copy, 100, 0), os.fstat(copy).st_mode & 0o777, target.exists()))

    with source.open("rb") as file:
        install(file.fileno(), str(target), overwrite)
    assert seen == [(b"as it was copied", 0o600, False)]
    assert target.read_bytes() == b"as it was copied"
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_copy_that_fails_the_check_leaves_nothing(tmp_path: Path) -> None:
    def refuse(copy: int) -> None:
        raise Failure(f"{os.fstat(copy).st_size} bytes are not the right ones")

    source = tmp_path / "source"
    source.write_bytes(b"bad")
    with source.open("rb") as file, pytest.raises(Failure, match="3 bytes are not the right ones"):
        install(file.fileno(), str(tmp_path / "firmware/fw"), refuse)
    assert list((tmp_path / "firmware").iterdir()) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o644)])
def test_the_umask_of_the_caller_counts(tmp_path: Path, umask: int, mode: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    before = os.umask(umask)
    try:
        with source.open("rb") as file:
            install(file.fileno(), str(tmp_path / "fw"), take_any)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert (tmp_path / "fw").stat().st_mode & 0o777 == mode


def test_installed_name_that_is_taken_by_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "fw.tmp").symlink_to(victim)
    with victim.open("rb") as file, pytest.raises(Failure, match="cannot install"):
        install(file.fileno(), str(tmp_path / "fw"), take_any)
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("release", "text", "folder"),
    [
        ("6.1.0-18-arm64", "/var/lib/fw\n", "/lib/firmware"),
        ("6.3.13", "/var/lib/fw\n", "/lib/firmware"),
        ("5.15.148-tegra", "\n", "/lib/firmware"),
        ("6.4.0-rc1", "/var/lib/fw\n", "/var/lib/fw"),
        ("6.12.48+deb13-arm64", "/var/lib/fw\n/more\n", "/var/lib/fw"),
        ("7.0", "/var/lib/fw\n", "/var/lib/fw"),
        ("6.12", "\n", "/lib/firmware"),
        ("strange", "/var/lib/fw\n", "/lib/firmware"),
    ],
)
def test_a_line_end_in_the_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str, text: str, folder: str
) -> None:
    """`echo FOLDER > path`: a kernel before 6.4 looks in a folder with a line end in its name, and then goes on."""
    uname = os.uname()
    facts = type(uname)((uname.sysname, uname.nodename, release, uname.version, uname.machine))
    monkeypatch.setattr("posix.uname", lambda: facts)
    parameter = tmp_path / "sys/module/firmware_class/parameters/path"
    parameter.parent.mkdir(parents=True)
    # As sysfs shows it, with a line end of its own.
    parameter.write_text(f"{text}\n")
    system = SystemPaths(str(tmp_path))
    assert firmware_folder(system) == f"{tmp_path}{folder}"
    # Where there is such a folder, it is the one.
    if text.startswith("/") and folder == "/lib/firmware":
        (tmp_path / text[1:]).mkdir(parents=True)
        assert firmware_folder(system) == f"{tmp_path}{text}"


def test_a_folder_below_the_root(tmp_path: Path) -> None:
    """The kernel takes a relative path from the root of the first process."""
    parameter = tmp_path / "sys/module/firmware_class/parameters/path"
    parameter.parent.mkdir(parents=True)
    parameter.write_text("opt/ fw\n")
    (tmp_path / "opt/ fw").mkdir(parents=True)
    assert firmware_folder(SystemPaths(str(tmp_path))) == f"{tmp_path}/opt/ fw"


def test_firmware_folder_follows_the_kernel_parameter(tmp_path: Path) -> None:
    system = SystemPaths(str(tmp_path))
    assert firmware_folder(system) == f"{tmp_path}/lib/firmware"
    parameter = tmp_path / "sys/module/firmware_class/parameters/path"
    parameter.parent.mkdir(parents=True)
    for text, folder in (
        (b"\n", "/lib/firmware"),
        (b"/var/lib/fw\n", "/var/lib/fw"),
        (b"/\xff", os.fsdecode(b"/\xff")),
        # Only the line end that sysfs adds is taken off: a blank is a part of the name, and nobody has such a folder.
        (b" /var/lib/fw\n", "/lib/firmware"),
        (b"/var/lib/fw \n", "/var/lib/fw "),
        (b"lib/other\n", "/lib/firmware"),
    ):
        parameter.write_bytes(text)
        assert firmware_folder(system) == f"{tmp_path}{folder}"
