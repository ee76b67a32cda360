"""Programs of engines that Debian has no package of."""

import struct
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.debian.given_programs import split_words
from hybrid_hil.image.debian.request import debian_request
from hybrid_hil.image.fingerprint import Fingerprint

AARCH64, X86_64 = 183, 62


def program(machine: int) -> bytes:
    """The header of an ELF for that machine, without segments."""
    identity = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    return identity + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("crio", "pinns", "unwanted"):
        (tmp_path / name).write_bytes(program(AARCH64))
    return tmp_path


def digest(folder: Path) -> str:
    inputs = Fingerprint()
    _, (given,) = split_words([f"crio={folder}"])
    given.fingerprint(inputs)
    return inputs.digest()


def test_what_is_named_comes_into_the_root_file_system(folder: Path, tmp_path: Path) -> None:
    names, (given,) = split_words(["podman", f"crio={folder}"])
    assert names == ["podman", "crio"]
    root = tmp_path / "root"
    given.put(root)
    found = sorted((root / "usr/local/bin").iterdir())
    assert [path.name for path in found] == ["crio", "pinns"]
    assert {path.stat().st_mode & 0o777 for path in found} == {0o755}


def test_an_image_is_another_one_with_other_programs(folder: Path) -> None:
    before = digest(folder)
    (folder / "crio").write_bytes(program(AARCH64) + b"newer")
    assert digest(folder) != before


def test_the_engine_is_among_those_of_the_image(folder: Path) -> None:
    request = debian_request("13", None, ["podman", f"crio={folder}"])
    assert request.engines == ("crio", "podman")
    assert [given.engine for given in request.given] == ["crio"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("crio", "Debian has no package of `crio`"),
        ("podman={}", "no programs are taken for `podman`"),
        ("crio={}/nowhere", "is no program: "),
    ],
)
def test_what_cannot_be_taken(folder: Path, words: str, says: str) -> None:
    with pytest.raises(RigError, match=says):
        split_words([words.format(folder)])


@pytest.mark.parametrize(("content", "says"), [(program(X86_64), "is for `EM_X86_64`"), (b"#!/bin/sh\n", "no program")])
def test_programs_of_another_machine(folder: Path, content: bytes, says: str) -> None:
    (folder / "pinns").write_bytes(content)
    with pytest.raises(RigError, match=says):
        split_words([f"crio={folder}"])
