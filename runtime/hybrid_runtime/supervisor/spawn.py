"""How create makes the supervisor: a fork that is undone by itself unless create commits it."""

import errno
import gc
import posix as os
import sys

from hybrid_runtime.container.claim import Claim, Journal
from hybrid_runtime.container.record import CREATED, Record
from hybrid_runtime.container.store import HeldFolder
from hybrid_runtime.container.undo import forget
from hybrid_runtime.firmware.installation import remove_if_possible
from hybrid_runtime.supervisor.stop_signals import StopSignals
from hybrid_runtime.supervisor.supervisor import Supervisor, close_all_but
from hybrid_runtime.system.bounded_file import read_file
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.outer_root import reach_machine_from_working_folder
from hybrid_runtime.system.path import on_machine
from hybrid_runtime.system.process_identity import start_time
from hybrid_runtime.system.system_calls import block_signals, set_signal_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.system.system_calls import Socket

_COMMIT = b"commit"
_READY = b"ready"
# Of a failure on its way to create.
_LONGEST_MESSAGE = 4096
_DIED, _DIED_REMEDY = "the supervisor died while the container was created", "see dmesg"
# The supervisor gave up for a reason nobody thought of.
_FAULT_CODE = 1
# It was never committed, and has undone everything.
UNDONE_CODE = 125


class Spawn:
    """What the new process starts from; the same values in create and in its child."""

    def __init__(self, claim: Claim, journal: Journal, record: Record, folder: HeldFolder, listener: "Socket") -> None:
        self.claim = claim
        self.journal = journal
        self.record = record
        self.folder = folder
        self.listener = listener
        self.pid_file = ""
        self.keeps_streams = True
        self.network: str | None = None
        # What others see as this process's root: a folder, "" for an empty one.
        self.image = ""
        self.console_socket = ""
        self.console_size = (0, 0)
        self.pid = 0
        self.commit_descriptor = -1
        self.ready_descriptor = -1

    def fork(self) -> None:
        """In create: returns with `pid` known. The child never returns.

        Signals stay blocked in the child until it can take them, so that none is lost.
        """
        waiting, self.commit_descriptor = os.pipe()
        self.ready_descriptor, readiness = os.pipe()
        mask = block_signals()
        self.pid = os.fork()
        if self.pid == 0:
            code = _FAULT_CODE
            try:
                code = self._live(waiting, readiness)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                raise
            finally:
                # Never back into create's own undoing, which would forget a core that runs: the journal stays.
                os._exit(code)
        set_signal_mask(mask)
        os.close(waiting)
        os.close(readiness)
        self._sign(self.pid)

    def _sign(self, pid: int) -> None:
        """Both sides of the fork write down the same process."""
        self.record.pid = self.journal.pid = pid
        self.record.pid_start_time = self.journal.pid_start_time = start_time(pid) or 0

    def wait_until_ready(self) -> None:
        """Until the supervisor has its streams and its network: hooks find it where it will stay. Raises Failure."""
        answer = os.read(self.ready_descriptor, _LONGEST_MESSAGE)
        os.close(self.ready_descriptor)
        if answer != _READY:
            message = answer.decode("utf-8", "replace")
            raise Failure(message) if message else Failure(_DIED, _DIED_REMEDY)

    def commit(self) -> None:
        """From here on the supervisor lives without create. Raises Failure when it is already dead.

        Signals stay blocked afterwards: nothing is left that an interrupted create would undo.
        """
        mask = block_signals()
        try:
            os.write(self.commit_descriptor, _COMMIT)
        except BrokenPipeError:
            set_signal_mask(mask)
            raise Failure(_DIED, _DIED_REMEDY) from None
        os.close(self.commit_descriptor)

    def cancel(self) -> bool:
        """Lets the child undo everything, and waits for it. False when it died before that was done."""
        os.close(self.commit_descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == UNDONE_CODE

    def _live(self, waiting: int, readiness: int) -> int:
        os.close(self.commit_descriptor)
        # The launcher turned it off. What is loaded stays, and is not looked through again and again.
        gc.freeze()
        gc.enable()
        os.setsid()
        os.chdir("/")
        reach_machine_from_working_folder(self._folders())
        answer = self._settle()
        close_all_but({self.claim.descriptor, self.listener.fileno(), waiting, readiness, self.folder.descriptor})
        stop_signals = StopSignals(terminal=bool(self.console_socket))
        # Before the root changes: all that a life needs is loaded by then. An upgrade may replace it meanwhile.
        folder = on_machine(self.folder.path)
        supervisor = Supervisor(self.claim, self.journal, self.record, folder, self.listener, stop_signals)
        _tell(readiness, self._settle_root() if answer == _READY else answer)
        committed = os.read(waiting, len(_COMMIT)) == _COMMIT
        os.close(waiting)
        if not committed:
            self._undo()
            return UNDONE_CODE
        os.close(self.folder.descriptor)
        self._sign(os.getpid())
        self.record.phase = CREATED
        return supervisor.run()

    def _folders(self) -> list[str]:
        """All that a supervisor writes to beside the kernel's files."""
        system = self.claim.system
        paths = (self.folder.path, system.claims, system.coredumps, self.record.firmware_file, self.pid_file)
        return [system.sysroot, *(path.rpartition("/")[0] for path in paths)]

    def _settle(self) -> bytes:
        """What create is told of it."""
        try:
            self._settle_streams()
            if self.network is not None:
                self._settle_network(self.network)
        except Failure as failure:
            return str(failure).encode()[:_LONGEST_MESSAGE]
        return _READY

    def _settle_network(self, path: str) -> None:
        from hybrid_runtime.system.network_namespace import join_network, new_network

        try:
            if path:
                join_network(path)
            else:
                new_network()
        except OSError as error:
            if path:
                remedy = "linux.namespaces of config.json must name a network that is there: create the container again"
                raise failed(f"cannot enter the network namespace `{path}`", error, remedy) from error
            limits = {errno.ENOSPC: "remove network namespaces, or raise sysctl user.max_net_namespaces"}
            remedy = "build the kernel with CONFIG_NET_NS"
            raise failed("cannot make a network namespace", error, remedy, limits) from error

    def _settle_root(self) -> bytes:
        """What create is told of it. Where no root can be made, `doctor` tells so."""
        from hybrid_runtime.system.mount_namespace import can_be_made, enter_own_root

        try:
            # Root is believed to have the capability: asking costs more than all the rest.
            if os.geteuid() == 0 or can_be_made():
                enter_own_root(self.image)
        except OSError as error:
            failure = failed(
                "cannot give the supervisor a root of its own", error, "see user.max_mnt_namespaces in /proc/sys"
            )
            return str(failure).encode()[:_LONGEST_MESSAGE]
        return _READY

    def _undo(self) -> None:
        """Create is gone or has given up: nothing of this container stays. The folder of its name may be the next
        one's by now."""
        try:
            forget(self.claim, self.journal)
        finally:
            remove_pid_file(self.pid_file, os.getpid())
            self.folder.remove()

    def _settle_streams(self) -> None:
        """An engine's descriptors 1 and 2 are the container's output; a person's terminal or pipe is not."""
        if self.console_socket:
            from hybrid_runtime.supervisor.terminal import open_terminal

            open_terminal(self.console_socket, self.console_size)
            return
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0)
        for descriptor in (1, 2):
            if not self.keeps_streams or not _is_open(descriptor):
                os.dup2(null, descriptor)


def _tell(readiness: int, answer: bytes) -> None:
    try:
        os.write(readiness, answer)
    except BrokenPipeError:
        # Create is gone, and with it the commit.
        return
    finally:
        os.close(readiness)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def pid_file_in_making(path: str, pid: int) -> str:
    """The temporary name of a pid file, known to the process that clears up after a killed create."""
    return f"{path}.{pid}.tmp"


def remove_pid_file(path: str, pid: int) -> None:
    """Only when it names that process: the path belongs to the engine."""
    if not path:
        return
    path = on_machine(path)
    remove_if_possible(pid_file_in_making(path, pid))
    try:
        if read_file(path, 32).strip() != str(pid).encode():
            return
    except OSError:
        return
    remove_if_possible(path)
