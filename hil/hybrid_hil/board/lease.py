"""One run at a time on a board: a lock of this host, and one on the board itself for runs from other hosts."""

import getpass
import hashlib
import os
import shlex
import socket
import threading
from contextlib import suppress

import paramiko
from filelock import FileLock, Timeout

from hybrid_hil.board.run_folder import runs_root
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Address, Shell, ShellError

ON_BOARD = "/run/hybrid-hil.lock"
TAKEN = "taken"
OWN_S = 10.0
BETWEEN_ATTEMPTS_S = 0.3
BEAT_S = 5.0
# Without a beat for so long the run is gone, and its host too: a server does not notice a peer that says nothing.
SILENCE_S = 60.0
REMEDY = "wait for it to end, or name another board"
# Holds the lock for as long as beats arrive on its standard input, the SSH session: a run that dies lets go of it.
_HOLDER = f"""
import fcntl, os, select, sys
lock = os.open("{ON_BOARD}", os.O_RDWR | os.O_CREAT, 0o600)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(os.pread(lock, 200, 0).decode(errors="replace"))
    sys.exit(1)
os.ftruncate(lock, 0)
os.pwrite(lock, sys.argv[1].encode(), 0)
print("{TAKEN}", flush=True)
while select.select([0], [], [], float(sys.argv[2]))[0] and os.read(0, 64):
    pass
"""


class BoardInUseError(RigError):
    """Another run holds the board."""


class Lease:
    """Holds a board from `take_here` to `release`; on the board itself anew after each of its boots."""

    def __init__(self, name: str, address: Address) -> None:
        self._name = name
        folder = runs_root() / "leases"
        folder.mkdir(mode=0o700, exist_ok=True)
        identity = hashlib.sha256(f"{address.host}:{address.port}".encode()).hexdigest()[:16]
        self._lock = FileLock(folder / identity)
        self._holder: paramiko.Channel | None = None
        self._released = threading.Event()

    def is_free_here(self) -> bool:
        """Whether no run of this host holds the board just now."""
        try:
            self.take_here()
        except BoardInUseError:
            return False
        self._lock.release()
        return True

    def take_here(self) -> None:
        """Against other runs of this host. Raises BoardInUseError when one holds the board."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise BoardInUseError(f"the board `{self._name}` is in use by another run on this host", REMEDY) from None

    def take_there(self, shell: Shell, deadline: Deadline) -> None:
        """Against runs of other hosts. Raises BoardInUseError when one holds the board."""
        who = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"
        holder = ""
        for _ in deadline.after(OWN_S).ticks(BETWEEN_ATTEMPTS_S):
            holder = self._ask(shell, who, deadline)
            if holder == TAKEN:
                return
            # The server may not have noticed yet that our former connection is gone.
            if holder != who:
                break
        raise BoardInUseError(f"the board `{self._name}` is in use by {holder}", REMEDY)

    def _ask(self, shell: Shell, who: str, deadline: Deadline) -> str:
        """TAKEN, or who holds it."""
        channel = shell.open_channel(deadline)
        channel.settimeout(max(deadline.remaining(), 0.001))
        try:
            channel.exec_command(shell.as_root(shlex.join(["python3", "-IS", "-c", _HOLDER, who, str(SILENCE_S)])))
            said = channel.recv(256).decode(errors="replace").strip()
            failure = "" if said else channel.recv_stderr(2000).decode(errors="replace").strip()
        except TimeoutError:
            # It may still be booting.
            raise ShellError(f"`{self._name}` does not say whether it is in use", "see that its python3 runs") from None
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ShellError(f"the connection to `{self._name}` ended: {error}", "see that it stays up") from error
        if said == TAKEN:
            self._holder = channel
            threading.Thread(target=self._beat, args=[channel], name="lease", daemon=True).start()
            return said
        channel.close()
        if failure:
            raise RigError(f"the board `{self._name}` cannot be held: {failure}", "it needs python3 and /run")
        if not said:
            # Killed before it could speak, as while the board goes down.
            raise ShellError(f"the board `{self._name}` did not say whether it is in use", "see that it stays up")
        return said

    def _beat(self, channel: paramiko.Channel) -> None:
        """Until the release, or the end of the connection: each boot of the board has a channel of its own."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            while not self._released.wait(BEAT_S):
                channel.sendall(b"\n")

    def release(self) -> None:
        self._released.set()
        if self._holder is not None:
            self._holder.close()
            self._holder = None
        self._lock.release()
