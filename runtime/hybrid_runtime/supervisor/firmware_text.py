"""Text of one of the firmware's sources on its way to the output: bytes that wait, and the lines they become.

Output is bounded by its cost: bytes, and for each line the work and the columns of the log that come with it.
"""

LONGEST_LINE = 4096
# The columns of a line in the log are 41 bytes; making one takes about as long as copying a few hundred.
LINE_COST = 64


class FirmwareText:
    """Of one trace buffer or channel. `mark` begins each line where the reader could not tell whose it is."""

    def __init__(self) -> None:
        self.mark = ""
        self.waiting = bytearray()
        self.splitter = LineSplitter()

    def add(self, data: bytes, most: int) -> int:
        """How many bytes were lost: of what waits the newest is kept, whole lines that cost at most `most`."""
        before = len(self.waiting) + len(data)
        if len(data) > most:
            self.waiting = bytearray(data[-most:])
        else:
            self.waiting += data
        if len(self.waiting) < before or cost(self.waiting) > most:
            del self.waiting[: _newest(self.waiting, most)]
        return before - len(self.waiting)

    def take(self, most: int) -> bytes:
        """The oldest of what waits, not much more than costs `most`."""
        end = len(self.waiting) if cost(self.waiting) <= most else _oldest(self.waiting, most)
        taken = bytes(self.waiting[:end])
        del self.waiting[:end]
        return taken

    def end_line(self) -> None:
        """What is added from now on is no continuation of what waits."""
        if self.waiting and not self.waiting.endswith(b"\n"):
            self.waiting += b"\n"


def cost(data: bytes | bytearray) -> int:
    return len(data) + LINE_COST * data.count(b"\n")


def _oldest(data: bytearray, most: int) -> int:
    """Where the part ends that costs `most`; within a line only if that is longer."""
    end = 0
    while most > 0:
        newline = data.find(b"\n", end, end + most)
        if newline < 0:
            return min(end + most, len(data)) if end == 0 else end
        most -= newline + 1 - end + LINE_COST
        end = newline + 1
    return end


def _newest(data: bytearray, most: int) -> int:
    """Where the last lines begin that cost at most `most`; within a line only if that is longer."""
    start, left = len(data), most
    while start > 0:
        newline = data.rfind(b"\n", max(0, start - 1 - left), start - 1)
        left -= start - newline - 1 + LINE_COST
        if newline < 0 or left < 0:
            break
        start = newline + 1
    return start if start < len(data) else max(data.rfind(b"\n", 0, start - 1) + 1, start - most)


class LineSplitter:
    """Bytes in, lines out; what has no line end yet waits, up to a bound."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> list[tuple[str, bool]]:
        """(text, complete) pairs; only pieces of an overlong line are not complete."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        found: list[tuple[str, bool]] = []
        for line in lines:
            if len(line) <= LONGEST_LINE:
                found.append((_text(line), True))
                continue
            head, last = _cut(line)
            found += [(_text(piece), False) for piece in head]
            found.append((_text(last), True))
        head, self.rest = _cut(self.rest)
        found += [(_text(piece), False) for piece in head]
        return found

    def finish(self) -> list[tuple[str, bool]]:
        """The last line, when it lacks its end."""
        rest, self.rest = self.rest, b""
        return [(_text(rest), True)] if rest else []


def _cut(line: bytes) -> tuple[list[bytes], bytes]:
    """Pieces of the longest length, and what remains."""
    head = []
    while len(line) > LONGEST_LINE:
        end = LONGEST_LINE
        # Not inside a character: UTF-8 has at most three bytes after its first, all 10xxxxxx.
        while end > LONGEST_LINE - 3 and line[end] & 0xC0 == 0x80:
            end -= 1
        head.append(line[:end])
        line = line[end:]
    return head, line


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r").replace("\0", "\ufffd")
