"""The keys of emulated boards: one host key and one login key, made once and kept as long as the cache."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.folder import HOST_KEY, LOGIN_KEY
from hybrid_hil.image.store import Component
from hybrid_hil.terminal import Step

DROPBEAR_HOST_KEY = "dropbear_ed25519_host_key"
AUTHORIZED_KEYS = "authorized_keys"

# Nothing but the kind of key goes into them, so there is one set per cache.
COMPONENT = Component("keys", "ed25519")


def make_keys(folder: Path, runner: BuildRunner, step: Step) -> None:  # noqa: ARG001  the shape of a builder
    """Fills `folder` with both keys, in the formats their readers want."""
    host = Ed25519PrivateKey.generate()
    login = Ed25519PrivateKey.generate()
    _write(folder / HOST_KEY, public_line(host, "hybrid-board"), 0o444)
    _write(folder / DROPBEAR_HOST_KEY, dropbear_key(host), 0o600)
    _write(folder / AUTHORIZED_KEYS, public_line(login, "hybrid-hil"), 0o444)
    _write(folder / LOGIN_KEY, openssh_key(login), 0o600)


def public_line(key: Ed25519PrivateKey, comment: str) -> bytes:
    """OpenSSH's one-line public key, as in authorized_keys."""
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(encoding, form) + f" {comment}\n".encode()


def openssh_key(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def dropbear_key(key: Ed25519PrivateKey) -> bytes:
    """dropbear's own format (buf_put_ed25519_priv_key in its ed25519.c): two SSH strings, the kind of key, and
    the 32 bytes of the private key followed by the 32 of the public one."""
    raw = serialization.Encoding.Raw
    private = key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    public = key.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
    return _ssh_string(b"ssh-ed25519") + _ssh_string(private + public)


def _ssh_string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _write(path: Path, data: bytes, mode: int) -> None:
    path.touch(mode=mode)
    path.chmod(0o600)
    path.write_bytes(data)
    path.chmod(mode)
