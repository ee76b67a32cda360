"""Every failure ends in a remedy that fits it."""

import errno
from pathlib import Path

import pytest

from hybrid_hil.image.diagnosis import explained, remedy_for


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("as: /cache/x.o: No space left on device", "free some space"),
        ("W: Failed to fetch http://m.example/  Temporary failure resolving 'm.example'", "cannot be reached"),
        ("E: Unable to locate package linux-source-6.12", "lacks what is needed"),
        ("E: The repository 'http://m.example' is not signed.", "debian-archive-keyring"),
        ("E: Release file for http://m.example is not valid yet", "clock"),
        ("cc1: out of memory allocating 65536 bytes", "memory"),
        ("make[3]: *** No rule to make target 'drivers/pci/of.o', needed by 'built-in.a'.", "LEFT_OUT"),
        ("make: *** [Makefile:1] Error 1", "hil doctor"),
    ],
)
def test_remedy_fits_what_was_said(line: str, expected: str) -> None:
    assert expected in remedy_for("make", 2, ["something before", line])


@pytest.mark.parametrize(
    ("program", "expected"), [("mmdebstrap", "`mmdebstrap`"), ("flex", "`flex`"), ("dtc", "device-tree-compiler")]
)
def test_missing_program_names_its_package(program: str, expected: str) -> None:
    remedy = remedy_for(program, 127, [])
    assert "install the package" in remedy
    assert expected in remedy


@pytest.mark.parametrize(
    ("number", "message", "remedy"),
    [
        (errno.ENOSPC, "no space left", "hil image clean"),
        (errno.EDQUOT, "no space left", "hil image clean"),
        (errno.EACCES, "cannot write", "XDG_CACHE_HOME"),
        (errno.EROFS, "cannot write", "XDG_CACHE_HOME"),
        (errno.EIO, "Input/output error", "disk"),
    ],
)
def test_operating_system_errors_have_remedies(number: int, message: str, remedy: str) -> None:
    error = explained(OSError(number, "Input/output error", "/cache/kernel/file"), Path("/cache"))
    assert message in error.message
    assert "`/cache/kernel/file`" in error.message
    assert remedy in error.remedy


def test_errors_elsewhere_do_not_blame_the_cache() -> None:
    error = explained(PermissionError(errno.EACCES, "Permission denied", "/usr/bin/python3"), Path("/cache"))
    assert "`/usr/bin/python3`" in error.message
    assert "XDG_CACHE_HOME" not in error.remedy


def test_error_without_a_file_names_the_cache() -> None:
    assert "`/cache`" in explained(OSError(errno.ENOSPC, "full"), Path("/cache")).message
