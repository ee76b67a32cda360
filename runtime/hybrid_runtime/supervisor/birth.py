"""How create makes the supervisor: a fork that is undone by itself unless create commits it."""

import os
import sys

from hybrid_runtime.container.claim import Claim, Journal
from hybrid_runtime.container.record import CREATED, Record
from hybrid_runtime.container.store import remove_folder
from hybrid_runtime.container.undo import forget
from hybrid_runtime.failure import Failure
from hybrid_runtime.firmware.installation import remove_if_possible
from hybrid_runtime.process_identity import start_time
from hybrid_runtime.supervisor.supervisor import Supervisor, close_all_but
from hybrid_runtime.system_calls import Socket, block_signals, set_signal_mask, signals

_COMMIT = b"commit"
# The supervisor gave up for a reason nobody thought of, or was never committed.
BROKEN_CODE = 1
_STOP_SIGNALS = (signals.SIGTERM, signals.SIGINT, signals.SIGQUIT, signals.SIGHUP)
# Not ours to ignore: they cannot be, or they tell of our own faults.
_LEFT_ALONE = (
    signals.SIGKILL, signals.SIGSTOP, signals.SIGSEGV, signals.SIGBUS, signals.SIGFPE, signals.SIGILL,
    signals.SIGABRT, signals.SIGCHLD,
)  # fmt: skip


class Birth:
    """What the new process starts from; the same values in create and in its child."""

    def __init__(self, claim: Claim, journal: Journal, record: Record, folder: str, listener: Socket) -> None:
        self.claim = claim
        self.journal = journal
        self.record = record
        self.folder = folder
        self.listener = listener
        self.pid_file = ""
        self.keeps_streams = True
        self.pid = 0
        self.commit_descriptor = -1

    def fork(self) -> None:
        """In create: returns with `pid` known. The child never returns.

        Signals stay blocked in the child until it can take them, so that none is lost.
        """
        waiting, self.commit_descriptor = os.pipe()
        mask = block_signals()
        self.pid = os.fork()
        if self.pid == 0:
            code = BROKEN_CODE
            try:
                code = self._live(waiting)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                raise
            finally:
                # Never back into create's own undoing, which would forget a core that runs: the journal stays.
                os._exit(code)
        set_signal_mask(mask)
        os.close(waiting)
        self._sign(self.pid)

    def _sign(self, pid: int) -> None:
        """Both sides of the fork write down the same process."""
        self.record.pid = self.journal.pid = pid
        self.record.pid_start_time = self.journal.pid_start_time = start_time(pid) or 0

    def commit(self) -> None:
        """From here on the supervisor lives without create. Raises Failure when it is already dead."""
        try:
            os.write(self.commit_descriptor, _COMMIT)
        except BrokenPipeError:
            raise Failure(
                "the supervisor died while the container was created", "see the kernel's log (dmesg)"
            ) from None
        os.close(self.commit_descriptor)

    def cancel(self) -> None:
        """Lets the child undo everything, and waits for it."""
        os.close(self.commit_descriptor)
        os.waitpid(self.pid, 0)

    def _live(self, waiting: int) -> int:
        os.close(self.commit_descriptor)
        os.setsid()
        os.chdir("/")
        os.umask(0o077)
        self._settle_streams()
        close_all_but({self.claim.descriptor, self.listener.fileno(), waiting})
        stop_requests = _take_signals()
        committed = os.read(waiting, len(_COMMIT)) == _COMMIT
        os.close(waiting)
        if not committed:
            self._undo()
            return BROKEN_CODE
        self._sign(os.getpid())
        self.record.phase = CREATED
        return Supervisor(self.claim, self.journal, self.record, self.folder, self.listener, stop_requests).run()

    def _undo(self) -> None:
        """Create is gone or has given up: nothing of this container stays."""
        try:
            forget(self.claim, self.journal)
        finally:
            remove_pid_file(self.pid_file, os.getpid())
            remove_folder(self.folder)

    def _settle_streams(self) -> None:
        """An engine's descriptors 1 and 2 are the container's output; a person's terminal or pipe is not."""
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0)
        for descriptor in (1, 2):
            if not self.keeps_streams or not _is_open(descriptor):
                os.dup2(null, descriptor)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _take_signals() -> int:
    """A descriptor that becomes readable with the first orderly stop signal; all other signals are ignored."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signals.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in signals.valid_signals():
        if number in _STOP_SIGNALS:
            # The handler only makes the C level write into the descriptor.
            signals.signal(number, lambda *_: None)
        elif number not in _LEFT_ALONE:
            signals.signal(number, signals.SIG_IGN)
    set_signal_mask(set())
    return readable


def pid_file_in_making(path: str, pid: int) -> str:
    """The temporary name of a pid file, known to the process that clears up after a killed create."""
    return f"{path}.{pid}.tmp"


def remove_pid_file(path: str, pid: int) -> None:
    """Only when it names that process: the path belongs to the engine."""
    if not path:
        return
    remove_if_possible(pid_file_in_making(path, pid))
    try:
        with open(path, "rb") as source:
            if source.read(32).strip() != str(pid).encode():
                return
    except OSError:
        return
    remove_if_possible(path)
