"""A folder is an image when every part is there."""

import json
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.folder import open_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Image", "rootfs.ext4", "host_key.pub", "login_key"):
        (tmp_path / name).touch()
    (tmp_path / "platform").mkdir()
    (tmp_path / "manifest.json").write_text(json.dumps({"hash": "0123", "origin": "buildroot"}))
    return tmp_path


def test_complete_folder_opens(folder: Path) -> None:
    image = open_image(folder)
    assert image.manifest["origin"] == "buildroot"
    parts = (image.kernel, image.disk, image.platform, image.host_key, image.login_key)
    assert all(part.exists() for part in parts)


@pytest.mark.parametrize("part", ["Image", "rootfs.ext4", "host_key.pub", "login_key", "manifest.json"])
def test_missing_part_is_named(folder: Path, part: str) -> None:
    (folder / part).unlink()
    with pytest.raises(RigError, match="is not an image") as raised:
        open_image(folder)
    assert part in raised.value.message


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_unreadable_manifest_is_told(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(RigError, match=r"manifest\.json"):
        open_image(folder)
