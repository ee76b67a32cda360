"""Commands and files on a board: one SSH connection, reused."""

import contextlib
import posixpath
import shlex
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import paramiko

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import told
from hybrid_hil.shell.connection import Address, Keys, connected
from hybrid_hil.shell.remote_command import CommandError, Completed, RemoteCommand, ShellError

RUN_S = 30.0
BETWEEN_ATTEMPTS_S = 0.05
ATTEMPT_S = 10.0
CLOSE_S = 2.0
REFUSALS = 5
# Never used up, so never enlarged: that message might come when the session is gone (see remote_command).
WINDOW = 2**31


class Shell:
    """Runs commands on a board and moves files; it stays the same object over power cycles. `become` are the words
    before each command that make its user root, such as `sudo -n`."""

    def __init__(self, health: BoardHealth, become: Sequence[str] = ()) -> None:
        self._health = health
        self._become = tuple(become)
        # Called with each new connection, whoever has asked for it.
        self.after_connect: Callable[[Deadline], None] | None = None
        self._client: paramiko.SSHClient | None = None
        self._address: Address | None = None

    def connect(self, address: Address, deadline: Deadline) -> None:
        """Connects and runs `true`, again and again until that works: a starting server may drop connections
        or be slow with its banner.

        Raises:
            ShellError: it did not work by the deadline, the board died, it is not the board we know, or one of the keys
                is none.
        """
        self.close()
        self._address = address
        keys = Keys.of(address)
        refusals, cause = 0, "there was no time for an attempt"
        for _ in deadline.ticks(BETWEEN_ATTEMPTS_S):
            hurried = deadline.expired
            self._raise_if_dead("reach the board")
            try:
                self._client = connected(address, keys, deadline.after(ATTEMPT_S))
                self.run(["true"], deadline=deadline.after(ATTEMPT_S))
                if self.after_connect is not None:
                    self.after_connect(deadline)
            except paramiko.BadHostKeyException as error:
                raise ShellError(f"this is not the board of `{address.host_key[:60]}`: {error}") from error
            except paramiko.AuthenticationException as error:
                # A server that goes down in the middle of a login looks the same.
                refusals += 1
                cause = f"the login of `{address.user}` is refused: {error}"
                self.close()
                if refusals == REFUSALS:
                    raise ShellError(cause, "see [ssh] in the board file, and the board's authorized_keys") from error
            except (paramiko.SSHException, OSError, EOFError, ShellError) as error:
                # An attempt without any time tells nothing of the board.
                cause = cause if hurried else told(error)
                self.close()
            else:
                return
        message = f"no SSH on port {address.port} of {address.host} in {deadline.seconds:g} s: {cause}"
        raise ShellError(message, "see that the board is on, and that this is its address")

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
        completed = self._begin(text, deadline, stdin).completed()
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

    def output(self, command: str, *, deadline: Deadline | None = None) -> bytes:
        """What a command prints, byte for byte.

        Raises:
            CommandError: it ended with another status than 0.
        """
        run = self._begin(command, deadline)
        completed = run.completed()
        if completed.exit_status != 0:
            raise CommandError(completed)
        return bytes(run.stdout)

    def get(self, remote: str, *, deadline: Deadline | None = None) -> bytes:
        """The content of a file on the board.

        Raises:
            CommandError: it cannot be read.
        """
        return self.output(f"cat {shlex.quote(remote)}", deadline=deadline)

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
            return transport.open_session(WINDOW, timeout=max(deadline.remaining(), 0.001))
        except (paramiko.SSHException, OSError, EOFError) as error:
            self._raise_if_dead("open a session")
            raise ShellError(f"the board opens no session: {error}") from error

    def _begin(self, text: str, deadline: Deadline | None, stdin: bytes | None = None) -> RemoteCommand:
        deadline = deadline or Deadline(RUN_S)
        channel = self.open_channel(deadline)
        command = self.as_root(text)
        return RemoteCommand(
            channel, command, deadline, health=self._health, connected=lambda: self.connected, stdin=stdin
        )

    def as_root(self, text: str) -> str:
        """What to execute over SSH so that root's shell runs `text`."""
        return shlex.join([*self._become, "sh", "-c", text]) if self._become else text

    def _raise_if_dead(self, what: str) -> None:
        if self._health.cause is not None:
            raise ShellError(f"cannot {what}: {self._health.cause}")

    @property
    def health(self) -> BoardHealth:
        return self._health


def _put_away(client: paramiko.SSHClient) -> None:
    # A channel whose opening was interrupted has no transport yet, and paramiko stumbles over it.
    with contextlib.suppress(AttributeError):
        client.close()
