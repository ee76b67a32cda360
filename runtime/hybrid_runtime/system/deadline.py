"""Moments by which something must have happened."""

from time import monotonic, sleep

# Between two looks at something that nothing can wait for.
LOOK_AGAIN_SECONDS = 0.005


class Deadline:
    """A moment on the monotonic clock, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self.moment = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.moment - monotonic())

    @property
    def expired(self) -> bool:
        return monotonic() >= self.moment

    def look_again(self, pause: float = LOOK_AGAIN_SECONDS) -> bool:
        """Pause for that many seconds; False when the time is over."""
        if self.expired:
            return False
        sleep(min(pause, self.remaining()))
        return True
