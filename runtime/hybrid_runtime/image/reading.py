"""Images are read in a process of their own, ended with everything it started whatever happens to create.

It may load what it likes and be killed for it; create, and the supervisor forked out of it, stay as small as they are
with a bundle.
"""

import posix as os
import sys

from hybrid_runtime.bundle.bundle import Bundle, read_bundle
from hybrid_runtime.bundle.file_bundle import bundle_of_file
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.json_text import read_object, write
from hybrid_runtime.system.path import resolved
from hybrid_runtime.system.system_calls import block_signals, set_signal_mask, signals
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READING_SECONDS = 180.0
_HANDLED = (signals.SIGINT, signals.SIGTERM, signals.SIGHUP)
_DONE = "done"
_FIRMWARE = "firmware"


def bundle_of_image(system: SystemPaths, folder: str, image: str, given: dict[str, str], option: str) -> Bundle:
    """A bundle in the new folder `folder`. `given` are annotations, `option` a processor's name.

    Raises Failure; what is in the folder then is the caller's to remove.
    """

    def make() -> str:
        from hybrid_runtime.image.archive import is_archive
        from hybrid_runtime.image.reference import ARCHIVE, parse_reference
        from hybrid_runtime.image.unpacking import Unpacking, confine

        reference = parse_reference(image)
        if reference.kind == ARCHIVE and not is_archive(reference.place):
            return _FIRMWARE
        unpacking = Unpacking(system, folder, given, option)
        place, source = unpacking.fetch(reference)
        confine()
        unpacking.make_bundle(place, source)
        return _DONE

    if _Reader(make).outcome() == _FIRMWARE:
        return bundle_of_file(folder, resolved(image), given)
    return read_bundle(folder)


class _Reader:
    """A child in a process group of its own."""

    def __init__(self, make: "Callable[[], str]") -> None:
        self.answers, answering = os.pipe()
        lifeline, self.life = os.pipe()
        mask = block_signals()
        # No signal comes between the fork and our knowing of it: whoever interrupts us ends the reader as well.
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.close(self.life)
                code = _read(make, answering, lifeline)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                raise
            finally:
                # Never back into create's own undoing.
                os._exit(code)
        os.setpgid(self.pid, self.pid)
        os.close(answering)
        os.close(lifeline)
        self.mask = mask

    def outcome(self) -> str:
        """Raises Failure for what the reader raised, or when it died or took too long."""
        try:
            set_signal_mask(self.mask)
            answer = self._answer(Deadline(READING_SECONDS))
        finally:
            block_signals()
            # Before it is waited for: until then nobody else can have this number.
            os.killpg(self.pid, signals.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.answers)
            os.close(self.life)
            set_signal_mask(self.mask)
        if not answer:
            raise Failure("the process that reads the image died", "see dmesg: the machine may be short of memory")
        values = read_object(answer)
        if "failure" in values:
            raise Failure(str(values["failure"]), str(values["remedy"]))
        return str(values["outcome"])

    def _answer(self, deadline: Deadline) -> bytes:
        from select import POLLIN, poll

        waiting = poll()
        waiting.register(self.answers, POLLIN)
        answer = b""
        while waiting.poll(deadline.remaining() * 1000):
            data = os.read(self.answers, 65536)
            if not data:
                return answer
            answer += data
        raise Failure(f"the image was not read within {READING_SECONDS:g} s", "copy it to a faster place")


def _read(make: "Callable[[], str]", answering: int, lifeline: int) -> int:
    """In the reader. The exit code."""
    os.setpgid(0, 0)
    for number in _HANDLED:
        signals.signal(number, signals.SIG_DFL)
    _die_with(lifeline)
    set_signal_mask(set())
    os.umask(0o077)
    try:
        answer: dict[str, object] = {"outcome": make()}
    except (Failure, OSError, MemoryError, ImportError) as error:
        failure = _failure(error)
        answer = {"failure": failure.message, "remedy": failure.remedy}
    os.write(answering, write(answer).encode())
    return 0


def _failure(error: Failure | OSError | MemoryError | ImportError) -> Failure:
    """The same in words for a user."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, OSError):
        named = f": `{error.filename}`" if error.filename else ""
        return failed(f"cannot read the image{named}", error, "see that the file can be read")
    if isinstance(error, ImportError):
        return Failure(f"this Python has no module `{error.name}`", "firmware images need its whole standard library")
    return Failure("the image takes more memory to read than it may", "build it FROM scratch, with the firmware alone")


def _die_with(lifeline: int) -> None:
    """When create is gone the kernel kills this process group, engines included: the pipe's other end closes, and the
    signal for input on it is SIGKILL (F_SETSIG and F_SETOWN of fcntl(2))."""
    from fcntl import F_GETFL, F_SETFL, F_SETOWN, F_SETSIG, fcntl
    from select import POLLHUP, poll

    fcntl(lifeline, F_SETSIG, signals.SIGKILL)
    fcntl(lifeline, F_SETOWN, -os.getpgrp())
    fcntl(lifeline, F_SETFL, fcntl(lifeline, F_GETFL) | os.O_ASYNC)
    waiting = poll()
    waiting.register(lifeline, POLLHUP)
    if waiting.poll(0):
        # It was gone before the kernel knew whom to tell.
        os._exit(1)
