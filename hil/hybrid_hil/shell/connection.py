"""One attempt at a board's SSH server: where it is, the keys of both sides, the handshake."""

import base64
import logging
import socket
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import told
from hybrid_hil.shell.remote_command import ShellError

# An attempt that comes too early is the shell's to judge and to repeat; paramiko would print a traceback of it.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Address:
    """Where a board's SSH server is and how each side knows the other: `host_key` is an OpenSSH public key, as a line
    of its file; `login_key` an OpenSSH private key file, without which `password` has to do."""

    host: str
    port: int
    host_key: str
    login_key: Path | None
    user: str = "root"
    password: str | None = None


@dataclass(frozen=True)
class Keys:
    """Both keys of an address, read."""

    kind: str
    host: paramiko.PKey
    login: paramiko.PKey | None

    @classmethod
    def of(cls, address: Address) -> "Keys":
        """Raises ShellError for what is no key, or cannot be read."""
        host = host_key(address.host_key)
        try:
            login = paramiko.PKey.from_path(address.login_key) if address.login_key else None
        except (OSError, ValueError, TypeError, paramiko.SSHException, UnknownKeyType) as error:
            remedy = "give an OpenSSH private key without a passphrase"
            raise ShellError(f"the login key `{address.login_key}` cannot be used: {told(error)}", remedy) from error
        return cls(address.host_key.split()[0], host, login)


def host_key(text: str) -> paramiko.PKey:
    """An OpenSSH public key. Raises ShellError for what is none."""
    try:
        kind, key = text.split()[:2]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(key))
    except (ValueError, paramiko.SSHException, UnknownKeyType) as error:
        raise ShellError(f"the host key `{text[:60]}` is none: {error}", "ssh-keyscan prints it") from error


def connected(address: Address, keys: Keys, deadline: Deadline) -> paramiko.SSHClient:
    """One attempt at a connection; the host key must be the one in `address`."""
    client = paramiko.SSHClient()
    name = f"[{address.host}]:{address.port}" if address.port != 22 else address.host
    client.get_host_keys().add(name, keys.kind, keys.host)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    seconds = max(deadline.remaining(), 0.001)
    line = socket.create_connection((address.host, address.port), seconds)
    # A command is some short messages. Nagle's algorithm holds each until the one before is acknowledged.
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        client.connect(
            address.host,
            port=address.port,
            sock=line,
            username=address.user,
            pkey=keys.login,
            password=address.password,
            look_for_keys=False,
            allow_agent=False,
            banner_timeout=seconds,
            auth_timeout=seconds,
        )
    except BaseException as error:
        missing = _missing_of_the_handshake(client)
        client.close()
        line.close()
        if missing and isinstance(error, paramiko.SSHException):
            raise paramiko.SSHException(f"the server gave no {missing} in {seconds:.1f} s") from error
        raise
    return client


def _missing_of_the_handshake(client: paramiko.SSHClient) -> str | None:
    """What a server still owes. When its time is over paramiko goes on to the login, and only says that there is no
    session."""
    transport = client.get_transport()
    if transport is None or not transport.is_active() or transport.initial_kex_done:
        return None
    return "keys" if transport.remote_version else "banner"
