"""What ended a board or made it stand still, known to everything that waits on it."""

import threading


class BoardHealth:
    """Holds the first cause of a board's death (a panic, QEMU's end, a full disk of the host); waits look here and stop
    at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._cause: str | None = None

    @property
    def cause(self) -> str | None:
        """Why the board is dead, or None while nothing says so."""
        return self._cause

    def report(self, cause: str) -> None:
        """Notes a cause of death; only the first since `reset` counts, the rest follows from it."""
        with self._lock:
            if self._cause is None:
                self._cause = cause
                self._ended.set()

    def reset(self) -> None:
        """Forgets the past: the board is about to be powered on."""
        with self._lock:
            self._cause = None
            self._ended.clear()

    def wait(self, seconds: float) -> bool:
        """Waits for the board's end, at most so long; tells whether it has come."""
        return self._ended.wait(seconds)


def ending(cause: str) -> str:
    """A cause as a sentence of its own; one that speaks of the board is one already."""
    return cause if cause.startswith("the board ") else f"the board died: {cause}"
