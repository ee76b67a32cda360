"""What ended a board, known to everything that waits on it."""

import threading


class Vitals:
    """Holds the first cause of a board's death (a panic, QEMU's end); waits look here and stop at once."""

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
