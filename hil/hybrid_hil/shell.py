"""Commands and files on a board: one SSH connection, reused."""

import base64
import contextlib
import logging
import posixpath
import shlex
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.vitals import Vitals

# An attempt that comes too early is ours to judge and to repeat; paramiko would print a traceback of it.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)

RUN_S = 30.0
LOOK_AGAIN_S = 0.2
BETWEEN_ATTEMPTS_S = 0.05
ATTEMPT_S = 10.0
CLOSE_S = 2.0
CHUNK = 32768
# a lost connection is often the first sign of a death whose cause is known a moment later
CAUSE_S = 1.0


@dataclass(frozen=True)
class Completed:
    """A command that has ended. `exit_status` is 128 + N for one ended by signal N, as a shell says it,
    and -1 if the shell itself was killed; `duration_s` is measured on the host."""

    command: str
    exit_status: int
    stdout: str
    stderr: str
    duration_s: float


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


class ShellError(RigError):
    """A command could not be run, did not end in time, or the connection was lost."""


class CommandError(RigError):
    """A command ended with an exit status that was not wanted."""

    def __init__(self, completed: Completed) -> None:
        text = (completed.stderr.strip() or completed.stdout.strip())[-2000:]
        super().__init__(f"`{completed.command}` ended with {completed.exit_status}", text)
        self.completed = completed


class Shell:
    """Runs commands on a board and moves files; it stays the same object over power cycles. `become` are the words
    before each command that make its user root, such as `sudo -n`."""

    def __init__(self, vitals: Vitals, become: Sequence[str] = ()) -> None:
        self._vitals = vitals
        self._become = tuple(become)
        self._client: paramiko.SSHClient | None = None
        self._address: Address | None = None

    def connect(self, address: Address, deadline: Deadline) -> None:
        """Connects and runs `true`, again and again until that works: a starting server may drop connections
        or be slow with its banner.

        Raises:
            ShellError: it did not work by the deadline, the board died, or it is not the board we know.
        """
        self.close()
        self._address = address
        cause = "there was no time for an attempt"
        for _ in deadline.ticks(BETWEEN_ATTEMPTS_S):
            hurried = deadline.expired
            self._raise_if_dead("reach the board")
            try:
                self._client = _connected(address, deadline.after(ATTEMPT_S))
                self.run(["true"], deadline=deadline.after(ATTEMPT_S))
            except (paramiko.BadHostKeyException, paramiko.AuthenticationException) as error:
                raise ShellError(f"this is not the board of `{address.host_key[:60]}`: {error}") from error
            except (paramiko.SSHException, OSError, EOFError, ShellError) as error:
                # An attempt without any time tells nothing of the board.
                cause = cause if hurried else str(error) or type(error).__name__
                self.close()
            else:
                return
        raise ShellError(f"no SSH on port {address.port} of {address.host} in {deadline.seconds:g} s: {cause}")

    def reconnect(self, deadline: Deadline) -> None:
        """A new connection to where the last one led. Raises ShellError."""
        if self._address is None:
            raise ShellError("the board was never connected", "power it on first")
        self.connect(self._address, deadline)

    def close(self) -> None:
        """An interrupt in the middle of paramiko may leave its lock taken, and its own close then waits for ever: it
        gets a while, and is left behind with its daemon threads."""
        client, self._client = self._client, None
        if client is not None:
            closer = threading.Thread(target=_put_away, args=[client], name="ssh closer", daemon=True)
            closer.start()
            closer.join(CLOSE_S)

    def run(
        self,
        command: str | Sequence[str],
        *,
        deadline: Deadline | None = None,
        check: bool = True,
        stdin: bytes | None = None,
    ) -> Completed:
        """Runs a command: a string by the board's `sh`, a sequence as exactly these arguments.

        Without a deadline it may take 30 s.

        Raises:
            CommandError: it ended with another status than 0, and `check` is set.
            ShellError: it did not end by the deadline, or the board or the connection died.
        """
        text = command if isinstance(command, str) else shlex.join(command)
        completed = _Run(self, self.as_root(text), deadline or Deadline(RUN_S), stdin).completed()
        if check and completed.exit_status != 0:
            raise CommandError(completed)
        return completed

    def put(self, content: bytes | Path, remote: str, mode: int = 0o644, *, deadline: Deadline | None = None) -> None:
        """Writes a file on the board, whole or not at all; its folder is made."""
        data = content.read_bytes() if isinstance(content, Path) else content
        target, fresh = shlex.quote(remote), shlex.quote(f"{remote}.new")
        folder = shlex.quote(posixpath.dirname(remote) or ".")
        script = f"mkdir -p {folder} && cat >{fresh} && chmod {mode:o} {fresh} && mv {fresh} {target}"
        self.run(script, stdin=data, deadline=deadline)

    def get(self, remote: str, *, deadline: Deadline | None = None) -> bytes:
        """The content of a file on the board.

        Raises:
            CommandError: it cannot be read.
        """
        run = _Run(self, self.as_root(f"cat {shlex.quote(remote)}"), deadline or Deadline(RUN_S), None)
        completed = run.completed()
        if completed.exit_status != 0:
            raise CommandError(completed)
        return bytes(run.stdout)

    @property
    def connected(self) -> bool:
        """Whether the connection is up, as far as this side can tell."""
        transport = self._client.get_transport() if self._client else None
        return transport is not None and transport.is_active()

    def open_channel(self, deadline: Deadline) -> paramiko.Channel:
        """A fresh session on the connection, for whoever wants more than `run` gives.

        Raises:
            ShellError: there is no connection, or the board does not open one.
        """
        transport = self._client.get_transport() if self._client else None
        if transport is None:
            self._raise_if_dead("open a session")
            raise ShellError("the board is not connected", "power it on first")
        try:
            return transport.open_session(timeout=max(deadline.remaining(), 0.001))
        except (paramiko.SSHException, OSError, EOFError) as error:
            self._raise_if_dead("open a session")
            raise ShellError(f"the board opens no session: {error}") from error

    def as_root(self, text: str) -> str:
        """What to execute over SSH so that root's shell runs `text`."""
        return shlex.join([*self._become, "sh", "-c", text]) if self._become else text

    def _raise_if_dead(self, what: str) -> None:
        if self._vitals.cause is not None:
            raise ShellError(f"cannot {what}: {self._vitals.cause}")

    @property
    def vitals(self) -> Vitals:
        return self._vitals


class _Run:
    """One command under way. stderr and stdin have threads: neither may fill up while stdout is read."""

    def __init__(self, shell: Shell, command: str, deadline: Deadline, stdin: bytes | None) -> None:
        self._command = command
        self._deadline = deadline
        self._shell = shell
        self._vitals = shell.vitals
        self._begun = time.monotonic()
        self.stdout = bytearray()
        self._stderr = bytearray()
        self._channel = shell.open_channel(deadline)
        self._channel.settimeout(LOOK_AGAIN_S)
        try:
            # The exit makes the shell stay, so that a command ended by a signal gives 128 + N.
            self._channel.exec_command(f"{command}\nexit $?")
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ShellError(f"`{command}` could not be started: {error}") from error
        self._threads = [threading.Thread(target=self._read_stderr, daemon=True)]
        if stdin:
            self._threads.append(threading.Thread(target=self._write_stdin, args=(stdin,), daemon=True))
        else:
            self._channel.shutdown_write()
        for thread in self._threads:
            thread.start()

    def completed(self) -> Completed:
        try:
            self._read_stdout()
            self._wait_for_exit()
            status = self._channel.recv_exit_status()
        finally:
            self._channel.close()
            for thread in self._threads:
                thread.join()
        if status == -1 and not self._shell.connected:
            self._vitals.wait(CAUSE_S)
            self._fail(f"was cut off: {self._vitals.cause or 'the connection was lost'}")
        return Completed(
            command=self._command,
            exit_status=status,
            stdout=self.stdout.decode(errors="replace"),
            stderr=self._stderr.decode(errors="replace"),
            duration_s=time.monotonic() - self._begun,
        )

    def _read_stdout(self) -> None:
        while True:
            try:
                data = self._channel.recv(CHUNK)
            except TimeoutError:
                self._raise_if_over()
            else:
                if not data:
                    return
                self.stdout += data
                if self._deadline.expired:
                    self._raise_if_over()

    def _wait_for_exit(self) -> None:
        while not self._channel.status_event.wait(LOOK_AGAIN_S):
            self._raise_if_over()

    def _raise_if_over(self) -> None:
        if self._vitals.cause is not None:
            self._fail(f"cannot end: {self._vitals.cause}")
        if self._deadline.expired:
            self._fail(f"did not end in {self._deadline.seconds:g} s")

    def _fail(self, what: str) -> None:
        said = (self._stderr or self.stdout).decode(errors="replace").strip()[-2000:]
        raise ShellError(f"`{self._command}` {what}", said)

    def _read_stderr(self) -> None:
        """Closed, the channel still hands out what had arrived, and only then nothing."""
        while True:
            try:
                data = self._channel.recv_stderr(CHUNK)
            except TimeoutError:
                continue
            if not data:
                return
            self._stderr += data

    def _write_stdin(self, data: bytes) -> None:
        done = 0
        while done < len(data):
            try:
                sent = self._channel.send(data[done : done + CHUNK])
            except TimeoutError:
                if self._channel.closed:
                    return
            except OSError:
                return  # the command closed its input; its exit status tells whether that was right
            else:
                if sent == 0:
                    return
                done += sent
        try:
            self._channel.shutdown_write()
        except OSError:
            return


def _put_away(client: paramiko.SSHClient) -> None:
    # A channel whose opening was interrupted has no transport yet, and paramiko stumbles over it.
    with contextlib.suppress(AttributeError):
        client.close()


def _connected(address: Address, deadline: Deadline) -> paramiko.SSHClient:
    """One attempt at a connection; the host key must be the one in `address`."""
    kind, key = address.host_key.split()[:2]
    client = paramiko.SSHClient()
    name = f"[{address.host}]:{address.port}" if address.port != 22 else address.host
    client.get_host_keys().add(name, kind, paramiko.PKey.from_type_string(kind, base64.b64decode(key)))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    seconds = max(deadline.remaining(), 0.001)
    try:
        client.connect(
            address.host,
            port=address.port,
            username=address.user,
            pkey=paramiko.PKey.from_path(address.login_key) if address.login_key else None,
            password=address.password,
            look_for_keys=False,
            allow_agent=False,
            timeout=seconds,
            # Sooner than the whole, whose end paramiko has no words for.
            banner_timeout=0.8 * seconds,
            auth_timeout=seconds,
        )
    except BaseException:
        client.close()
        raise
    return client
