"""The payload that carries the runtime."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from hybrid_hil.device.deployment import COMMIT, DIGESTS, LAUNCHER, LINK, SHIM, runtime_payload
from hybrid_hil.failure import RigError


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    package = tmp_path / "hybrid_runtime" / "deep"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "module.py").write_text("X = 1\n")
    cache = package.parent / "__pycache__"
    cache.mkdir()
    (cache / "module.pyc").write_bytes(b"stale")
    (tmp_path / "bin").mkdir()
    (tmp_path / LAUNCHER).write_text("#!/usr/bin/python3 -IS\n")
    (tmp_path / SHIM).write_text("#!/bin/sh\n")
    settings = tmp_path / "engines/podman"
    settings.mkdir(parents=True)
    (settings / "drop-in.conf").write_text("[engine]\n")
    return tmp_path


def members(tar: bytes) -> dict[str, tuple[int, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        found = {}
        for member in filter(tarfile.TarInfo.isfile, archive):
            content = archive.extractfile(member)
            assert content is not None
            found[member.name] = (member.mode, content.read())
        return found


def test_it_holds_sources_programs_and_settings_and_nothing_compiled(runtime: Path) -> None:
    inside = members(runtime_payload(runtime).tar)
    sources = {"hybrid_runtime/__init__.py", "hybrid_runtime/deep/module.py"}
    assert set(inside) == sources | {LAUNCHER, SHIM, "engines/podman/drop-in.conf", DIGESTS, COMMIT}
    assert inside[LAUNCHER][0] == inside[SHIM][0] == 0o755
    assert inside["hybrid_runtime/deep/module.py"] == (0o644, b"X = 1\n")


def test_the_shim_finds_the_runtime_as_runc(runtime: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(runtime_payload(runtime).tar)) as archive:
        assert (archive.getmember(LINK).issym(), archive.getmember(LINK).linkname) == (True, f"../{LAUNCHER}")


def test_the_digests_are_those_of_the_contents(runtime: Path) -> None:
    packed = runtime_payload(runtime)
    inside = members(packed.tar)
    listed = dict(line.split("  ")[::-1] for line in inside.pop(DIGESTS)[1].decode().splitlines())
    assert listed == {name: hashlib.sha256(content).hexdigest() for name, (_, content) in inside.items()}
    assert listed == packed.digests


def test_equal_sources_give_equal_bytes(runtime: Path) -> None:
    before = runtime_payload(runtime).tar
    (runtime / LAUNCHER).touch()
    assert runtime_payload(runtime).tar == before


def test_a_folder_without_a_runtime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="holds no runtime"):
        runtime_payload(tmp_path)
