"""How long the stages of each boot take, as the board tells them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

from hybrid_hil.board.stages import POWER, StageError
from hybrid_hil.report.record import Boot, StageTime


class BootWatch:
    """Keeps a record of each boot, also of one that fails."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.boots: list[Boot] = []
        self._begun: list[tuple[str, float]] = []

    def stage(self, name: str) -> None:
        """A stage begins, and the one before is over."""
        self._begun.append((name, self._clock()))

    @contextmanager
    def boot(self) -> Iterator[None]:
        """One boot; what precedes its first stage belongs to that, and one without any was of its power alone."""
        self._begun = []
        began, start, failed = time.time(), self._clock(), True
        try:
            yield
            failed = False
        except StageError as error:
            # QEMU may end before the board has told its first stage
            self._begun = self._begun or [(error.stage, start)]
            raise
        finally:
            names = [name for name, _ in self._begun] or [POWER.name]
            turns = [start, *(at for _, at in self._begun[1:]), self._clock()]
            stages = tuple(StageTime(name, end - at) for name, (at, end) in zip(names, pairwise(turns), strict=True))
            self.boots.append(Boot(began, stages, failed))
