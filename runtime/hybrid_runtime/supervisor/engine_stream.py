"""One of the two descriptors that an engine gave, written to without ever waiting for its reader.

O_NONBLOCK belongs to an open file description, and this one is shared with the engine. So pipes and terminals are
opened once more, by /proc/self/fd, and sockets, which cannot be, are sent to with MSG_DONTWAIT. Nothing else waits for
a reader.
"""

import errno
import posix as os
from fcntl import F_GETFL, fcntl
from select import POLLOUT, poll

from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.path import KIND
from hybrid_runtime.system.system_calls import adopt_socket, send_at_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.system.system_calls import Socket

LARGEST_BUFFER = 64 * 1024
# PIPE_BUF: so much goes into a pipe whole or not at all (pipe(7)), and a datagram is not larger.
_LARGEST_WRITE = 4096
_ACCESS_MODE = 3
# Of st_mode, as inode(7) has them.
_PIPE, _SOCKET = 0o010000, 0o140000
_FULL = (errno.ENOSPC, errno.EDQUOT)
_BUSY = (errno.EAGAIN, errno.ENOBUFS)


class EngineStream:
    """A bounded buffer before the descriptor. Lines that do not fit are dropped and counted."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.buffer = bytearray()
        self.dropped_lines = 0
        self.closed = False
        self.socket: Socket | None = None
        self.may_block = False
        self._stop_waiting_for_readers()

    def _stop_waiting_for_readers(self) -> None:
        """Where that is refused, as for another user's pipe, `may_block` is set and each write asks poll(2) first."""
        try:
            kind = os.fstat(self.descriptor).st_mode & KIND
            if kind == _SOCKET:
                # Our copy of the number, not of the description.
                self.socket = adopt_socket(os.dup(self.descriptor))
            elif (kind == _PIPE or os.isatty(self.descriptor)) and self._is_writable():
                self.may_block = True
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                self.descriptor = os.open(f"/proc/self/fd/{self.descriptor}", flags)
                self.may_block = False
        except OSError:
            return

    def _is_writable(self) -> bool:
        """Opened once more it would be, whatever it was given for."""
        return fcntl(self.descriptor, F_GETFL) & _ACCESS_MODE != os.O_RDONLY

    def add(self, text: bytes) -> None:
        """Some lines, the last of which may lack its end."""
        if self.closed:
            return
        if len(self.buffer) + len(text) > LARGEST_BUFFER:
            self.flush()
        if self.dropped_lines:
            if len(self.buffer) > LARGEST_BUFFER // 2:
                self.dropped_lines += _lines(text)
                return
            # The reader is back.
            self.buffer += f"hybrid-runtime: {self.dropped_lines} lines dropped, the reader was too slow\n".encode()
            self.dropped_lines = 0
        room = LARGEST_BUFFER - len(self.buffer)
        if len(text) > room:
            self.dropped_lines, text = _lines(text[room:]), text[: text.rfind(b"\n", 0, room) + 1]
        self.buffer += text

    @property
    def pending(self) -> bool:
        return bool(self.buffer) and not self.closed

    def flush(self, deadline: Deadline | None = None) -> None:
        """Write what fits now, or until the deadline."""
        while self.pending:
            try:
                written = self._write(self._next_piece())
            except OSError as error:
                if error.errno in _BUSY:
                    if deadline is None or not deadline.look_again():
                        return
                elif error.errno in _FULL:
                    self.drop_buffer()
                else:
                    self.closed = True
                    self.buffer.clear()
                continue
            del self.buffer[:written]
            if deadline and deadline.expired:
                return

    def _next_piece(self) -> bytes:
        """Whole lines, so that what another process writes to the same pipe comes between two."""
        piece = bytes(self.buffer[:_LARGEST_WRITE])
        return piece[: piece.rfind(b"\n") + 1] or piece

    def _write(self, piece: bytes) -> int:
        if self.socket is not None:
            return send_at_once(self.socket, piece)
        if self.may_block:
            self._require_room()
        return os.write(self.descriptor, piece)

    def _require_room(self) -> None:
        """POLLOUT on a pipe promises room for PIPE_BUF bytes. Raises OSError."""
        waiting = poll()
        waiting.register(self.descriptor, POLLOUT)
        ready = waiting.poll(0)
        if not ready:
            raise BlockingIOError(errno.EAGAIN, "no room")
        if not ready[0][1] & POLLOUT:
            raise BrokenPipeError(errno.EPIPE, "no reader")

    def drop_buffer(self) -> None:
        """These lines are lost: the disk is full, or it is the end. Later ones may find room."""
        self.dropped_lines += _lines(self.buffer) if self.buffer else 0
        self.buffer.clear()


def _lines(text: bytes | bytearray) -> int:
    """Also one that lacks its end."""
    return text.count(b"\n") + (not text.endswith(b"\n"))
