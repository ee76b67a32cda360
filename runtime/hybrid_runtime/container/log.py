"""A container's log: the CRI's columns (time, stream, F or P, text), one file and one rotated before it."""

import posix as os

from hybrid_runtime.system.path import same_file
from hybrid_runtime.system.timestamp import rfc3339

LARGEST_BYTES = 256 * 1024
FIRMWARE_STREAM = "stdout"
SUPERVISOR_STREAM = "stderr"


class ContainerLog:
    """The writing side, held by the supervisor. A full disk loses lines and nothing else; they are counted."""

    def __init__(self, path: str, largest_bytes: int = LARGEST_BYTES) -> None:
        self.path = path
        self.largest_bytes = largest_bytes
        self.lost_lines = 0
        self.descriptor = -1
        self.size = 0
        self.waiting: list[bytes] = []

    def append(self, stream: str, text: str, *, complete: bool = True) -> None:
        self.add(stream, [(text, complete)])
        self.flush()

    def add(self, stream: str, lines: list[tuple[str, bool]]) -> None:
        """(text, complete) pairs, seen at this moment and written by the next `flush`."""
        columns = f"{rfc3339()} {stream} "
        text = "".join([f"{columns}{'F' if complete else 'P'} {line}\n" for line, complete in lines])
        self.waiting.append(text.encode("utf-8", "replace"))

    def flush(self) -> None:
        """All that waits in one write(2), as far as it fits the file."""
        if not self.waiting:
            return
        text = b"".join(self.waiting)
        self.waiting.clear()
        try:
            while text:
                text = text[self._write(text) :]
        except OSError:
            self.lost_lines += text.count(b"\n")

    def _write(self, text: bytes) -> int:
        """How much of it is done with: lines that fit, also those that are lost on a full disk. Raises OSError."""
        end = self._make_room(text)
        written = os.write(self.descriptor, text[:end])
        if written < end:
            # The disk is full: half a line would swallow the next one.
            written = text.rfind(b"\n", 0, written) + 1
            os.ftruncate(self.descriptor, self.size + written)
            self.lost_lines += text.count(b"\n", written, end)
        self.size += written
        return end

    def _make_room(self, text: bytes) -> int:
        """How many bytes of it go into the file, whole lines: at least one of them, be it longer than a file."""
        if self.descriptor < 0:
            self._open()
        end = _end_of_lines(text, self.largest_bytes - self.size)
        if end == 0 and self.size:
            os.rename(self.path, rotated(self.path))
            self.close()
            self._open()
            end = _end_of_lines(text, self.largest_bytes)
        return end or text.index(b"\n") + 1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self.descriptor = os.open(self.path, flags, 0o600)
        self.size = os.fstat(self.descriptor).st_size

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _end_of_lines(text: bytes, most: int) -> int:
    """Where the last line ends that is within `most` bytes; 0 without such a line."""
    return len(text) if len(text) <= most else text.rfind(b"\n", 0, max(0, most)) + 1


def rotated(path: str) -> str:
    return f"{path}.1"


class LogLine:
    """One line of the file, taken apart."""

    def __init__(self, time: str, stream: str, complete: bool, text: str) -> None:
        self.time = time
        self.stream = stream
        self.complete = complete
        self.text = text


def parse_line(line: str) -> LogLine | None:
    """None for what is not in the CRI's columns."""
    columns = line.split(" ", 3)
    if len(columns) != 4 or columns[2] not in ("F", "P"):
        return None
    time, stream, tag, text = columns
    return LogLine(time, stream, tag == "F", text)


class LogReader:
    """Reads on where it stopped, over a rotation."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = -1
        self.rest = b""

    def earlier_lines(self) -> list[str]:
        """What the rotated file holds; to be asked for first.

        `new_lines` goes on in the file that took its place, also when a rotation comes in between.
        """
        self.descriptor = self._open(self.path)
        try:
            with open(rotated(self.path), "rb") as source:
                facts = os.fstat(source.fileno())
                if self.descriptor >= 0 and same_file(facts, os.fstat(self.descriptor)):
                    # Rotated this moment: the file we hold is read as the first of the new ones.
                    return []
                # Not splitlines: firmware may print form feeds and the like.
                return source.read().decode("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return []

    def new_lines(self) -> list[str]:
        """Complete lines written since the last call."""
        data = self.rest + self._read_to_end()
        if self._was_rotated():
            # What came between that read and the rename; nothing comes after it.
            data += self._read_to_end()
            os.close(self.descriptor)
            self.descriptor = -1
            data += self._read_to_end()
        lines, _, self.rest = data.rpartition(b"\n")
        return lines.decode("utf-8", "replace").split("\n") if lines else []

    def _read_to_end(self) -> bytes:
        if self.descriptor < 0:
            self.descriptor = self._open(self.path)
        if self.descriptor < 0:
            return b""
        data = b""
        while chunk := os.read(self.descriptor, 65536):
            data += chunk
        return data

    @staticmethod
    def _open(path: str) -> int:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return -1

    def _was_rotated(self) -> bool:
        if self.descriptor < 0:
            return False
        ours = os.fstat(self.descriptor)
        try:
            now = os.stat(self.path)
        except FileNotFoundError:
            return False
        return not same_file(ours, now)
