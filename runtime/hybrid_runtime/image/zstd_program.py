"""zstd(1) as a file of unpacked bytes, for an interpreter that has no module for that."""

import os
import subprocess
from select import POLLIN, POLLOUT, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.image.blob import BlobReader

PROGRAMS = ("/usr/bin/zstd", "/usr/local/bin/zstd", "/bin/zstd")
_CHUNK = 1 << 16


class ZstdProgramError(Exception):
    """What it says of the packed bytes is that they are damaged."""


def find_program() -> str | None:
    return next((path for path in PROGRAMS if os.access(path, os.X_OK)), None)


class ZstdProgram:
    """Fed and read by turns, so that neither side waits for the other. It is ended by close."""

    def __init__(self, program: str, packed: "BlobReader") -> None:
        self.packed = packed
        self.waiting = b""
        self.process = subprocess.Popen(
            # Skippable frames, as zstd:chunked has them, are no output.
            ["zstd", "--decompress", "--stdout", "--quiet", "--no-progress"],
            executable=program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        assert self.process.stdin is not None, "a pipe was asked for"
        assert self.process.stdout is not None, "a pipe was asked for"
        self.sink: int | None = self.process.stdin.fileno()
        self.source = self.process.stdout.fileno()
        os.set_blocking(self.sink, False)
        self.poller = poll()
        self.poller.register(self.sink, POLLOUT)
        self.poller.register(self.source, POLLIN)

    def read(self, count: int) -> bytes:
        """Empty at the end. Raises ZstdProgramError when the packed bytes were damaged."""
        while True:
            ready = dict(self.poller.poll())
            if self.source in ready:
                data = os.read(self.source, count)
                if not data:
                    self._end()
                return data
            if self.sink in ready:
                self._feed(self.sink)

    def _feed(self, sink: int) -> None:
        self.waiting = self.waiting or self.packed.read(_CHUNK)
        try:
            written = os.write(sink, self.waiting) if self.waiting else 0
        except BlockingIOError:
            return
        except BrokenPipeError:
            # It has given up. Its exit code tells.
            self.waiting, written = b"", 0
        self.waiting = self.waiting[written:]
        if not written:
            self._stop_feeding(sink)

    def _stop_feeding(self, sink: int) -> None:
        self.poller.unregister(sink)
        self.sink = None
        assert self.process.stdin is not None, "it was there before"
        self.process.stdin.close()

    def _end(self) -> None:
        if self.process.wait():
            raise ZstdProgramError(f"zstd ends with {self.process.returncode}")

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()
