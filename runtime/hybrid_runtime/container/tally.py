"""How often a processor was started and has crashed since the machine was booted, for whoever watches many machines.

It is the content of the claim's lock file. That file is never replaced, whoever may take the claim may write it, and
only the holder does.
"""

import posix as os

from hybrid_runtime.system.system_paths import SystemPaths

# Twice what two numbers of 64 bits take.
_LARGEST_BYTES = 96


class Tally:
    """Of one processor. `starts` are those of containers: a core that the kernel brings back has crashed, and was not
    started."""

    def __init__(self, starts: int = 0, crashes: int = 0) -> None:
        self.starts = starts
        self.crashes = crashes


def read_tally(system: SystemPaths, device: str) -> Tally:
    """Zeros where nothing was counted yet, or what is there says nothing."""
    try:
        descriptor = os.open(f"{system.claims}/{device}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return Tally()
    try:
        return _tally_in(descriptor)
    finally:
        os.close(descriptor)


def count(lock: int, *, starts: int = 0, crashes: int = 0) -> None:
    """By the holder of the claim, on the descriptor of its lock. Raises OSError."""
    tally = _tally_in(lock)
    text = f"{tally.starts + starts} {tally.crashes + crashes}\n".encode()
    # In one call: a reader finds the former numbers or these. They only grow, so nothing of the former stays behind.
    os.pwrite(lock, text, 0)


def _tally_in(descriptor: int) -> Tally:
    try:
        content = os.pread(descriptor, _LARGEST_BYTES, 0)
    except OSError:
        return Tally()
    words = content.partition(b"\n")[0].split(b" ")
    if len(words) != 2 or not all(word.isdigit() and len(word) < 20 for word in words):
        return Tally()
    return Tally(int(words[0]), int(words[1]))
