"""Deadlines: points in time handed down through calls, so that nested waits cannot add up."""

import os
import time
from collections.abc import Callable, Iterator

from hybrid_hil.failure import RigError

PATIENCE_VARIABLE = "HYBRID_HIL_PATIENCE"


def patience() -> float:
    """The factor by which slow hosts stretch every deadline, from HYBRID_HIL_PATIENCE; 1.0 when unset."""
    text = os.environ.get(PATIENCE_VARIABLE, "1")
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1000:
        raise RigError(f"{PATIENCE_VARIABLE} is `{text}`", "give a factor between 0 and 1000, such as 2.5")
    return factor


class Deadline:
    """A point on the monotonic clock, `seconds` times patience from its making."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.seconds = seconds * patience()
        self._end = clock() + self.seconds

    def __repr__(self) -> str:
        return f"Deadline({self.remaining():.3f} of {self.seconds:g} s left)"

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        return self._clock() >= self._end

    def after(self, seconds: float) -> "Deadline":
        """A deadline `seconds` times patience from now, or this one if that comes sooner."""
        inner = Deadline(seconds, clock=self._clock)
        return self if self._end < inner._end else inner

    def ticks(self, every: float) -> Iterator[int]:
        """Counts 0, 1, … with `every` seconds in between until expired; always yields at least once,
        and a last time at the end, so that what became true during the last wait is seen."""
        count = 0
        while True:
            last = self.expired
            yield count
            if last:
                return
            time.sleep(min(every, self.remaining()))
            count += 1


class Unlimited(Deadline):
    """For a board that a person may halt at any point: never expires, and no deadline after it comes sooner. Waits
    that want a number of seconds get the most that poll(2) takes in milliseconds, in round figures: three weeks."""

    def __init__(self) -> None:
        super().__init__(0)
        self.seconds = 3 * 7 * 24 * 3600.0

    def remaining(self) -> float:
        return self.seconds

    @property
    def expired(self) -> bool:
        return False

    def after(self, seconds: float) -> Deadline:  # noqa: ARG002  whoever is waited for may be halted meanwhile
        return self
