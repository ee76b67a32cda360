"""The keys are in the formats of those who read them, and secret."""

import io
import stat
from pathlib import Path

import paramiko
import pytest

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.keys import AUTHORIZED_KEYS, DROPBEAR_HOST_KEY, make_keys
from hybrid_hil.terminal import QuietReporter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with QuietReporter().step("keys") as step:
        make_keys(tmp_path, BuildRunner(tmp_path / "logs/keys.log"), step)
    return tmp_path


def test_login_key_opens_what_is_authorized(folder: Path) -> None:
    key = paramiko.Ed25519Key.from_private_key(io.StringIO((folder / "login_key").read_text()))
    kind, body, _ = (folder / AUTHORIZED_KEYS).read_text().split()
    assert (kind, body) == ("ssh-ed25519", key.get_base64())


def test_dropbear_and_the_rig_know_the_same_host_key(folder: Path) -> None:
    private = (folder / DROPBEAR_HOST_KEY).read_bytes()
    _, body, _ = (folder / "host_key.pub").read_text().split()
    entry = paramiko.hostkeys.HostKeyEntry.from_line(f"board ssh-ed25519 {body}")
    assert entry is not None
    assert entry.key is not None
    assert private.startswith(b"\0\0\0\x0bssh-ed25519\0\0\0\x40")
    assert private[-32:] == entry.key.asbytes()[-32:]
    assert len(private) == 15 + 4 + 64


def test_private_keys_are_private(folder: Path) -> None:
    for name in ("login_key", DROPBEAR_HOST_KEY):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
