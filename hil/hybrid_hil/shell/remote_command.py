"""One command on a board, over a session of its own on the connection."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import paramiko

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

LOOK_AGAIN_S = 0.2
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


class ShellError(RigError):
    """A command could not be run, did not end in time, or the connection was lost."""


class CommandError(RigError):
    """A command ended with an exit status that was not wanted."""

    def __init__(self, completed: Completed) -> None:
        text = (completed.stderr.strip() or completed.stdout.strip())[-2000:]
        super().__init__(f"`{completed.command}` ended with {completed.exit_status}", text)
        self.completed = completed


# The exit makes the shell stay, so that a command ended by a signal gives 128 + N.
_WITHOUT_INPUT = "exec </dev/null\n{command}\nexit $?"
# Reads to the end whatever the command leaves: the session must not be closed there before our end of file has arrived.
# dropbear ends the whole connection at a message for a session that is gone, and paramiko builds a message under its
# lock and sends it later.
_WITH_INPUT = "(\n{command}\n)\nstatus=$?\ncat >/dev/null\nexit $status"


class RemoteCommand:
    """One command under way. stderr and stdin have threads: neither may fill up while stdout is read."""

    def __init__(
        self,
        channel: paramiko.Channel,
        command: str,
        deadline: Deadline,
        *,
        health: BoardHealth,
        connected: Callable[[], bool],
        stdin: bytes | None = None,
    ) -> None:
        """Starts it on a fresh channel, which it owns. Raises ShellError."""
        self._channel = channel
        self._command = command
        self._deadline = deadline
        self._health = health
        self._connected = connected
        self._begun = time.monotonic()
        self.stdout = bytearray()
        self._stderr = bytearray()
        self._channel.settimeout(LOOK_AGAIN_S)
        try:
            self._channel.exec_command((_WITH_INPUT if stdin else _WITHOUT_INPUT).format(command=command))
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ShellError(f"`{command}` could not be started: {error}") from error
        self._threads = [threading.Thread(target=self._read_stderr, daemon=True)]
        if stdin:
            self._threads.append(threading.Thread(target=self._write_stdin, args=(stdin,), daemon=True))
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
        if status == -1 and not self._connected():
            self._health.wait(CAUSE_S)
            self._fail(f"was cut off: {self._health.cause or 'the connection was lost'}")
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
        if self._health.cause is not None:
            self._fail(f"cannot end: {self._health.cause}")
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
            except (OSError, EOFError):
                return  # the command closed its input; its exit status tells whether that was right
            else:
                if sent == 0:
                    return
                done += sent
        try:
            self._channel.shutdown_write()
        except (OSError, EOFError):
            return
