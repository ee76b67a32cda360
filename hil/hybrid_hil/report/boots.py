"""Boots as bars: how long each of their stages took."""

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_hil.report.record import Boot

# Tests of power cuts boot a hundred times. The rest is in the results.
MOST_SHOWN = 16


@dataclass(frozen=True)
class Segment:
    """A stage in a bar; both shares are percents of the longest boot."""

    name: str
    seconds: float
    left: float
    width: float
    failed: bool


@dataclass(frozen=True)
class Bar:
    """A boot: its segments one after the other, the last of which is where it failed, if it did."""

    worker: str
    at_s: float
    seconds: float
    failed: bool
    segments: tuple[Segment, ...]

    @property
    def spoken(self) -> str:
        """The bar in words."""
        told = [f"{one.name} {one.seconds:.1f} s{', failed' if one.failed else ''}" for one in self.segments]
        return " · ".join(told)


def bars(boots: Sequence[Boot], began: float, most: int = MOST_SHOWN) -> list[Bar]:
    """The boots that failed and the longest others, in order of time; `at_s` counts from `began`."""
    chosen = sorted(boots, key=lambda boot: (not boot.failed, -boot.seconds))[:most]
    longest = max((boot.seconds for boot in chosen), default=0.0) or 1.0
    return [_bar(boot, began, longest) for boot in sorted(chosen, key=lambda boot: boot.began)]


def _bar(boot: Boot, began: float, longest: float) -> Bar:
    segments: list[Segment] = []
    at = 0.0
    for number, stage in enumerate(boot.stages, start=1):
        failed = boot.failed and number == len(boot.stages)
        segments.append(Segment(stage.name, stage.seconds, 100 * at / longest, 100 * stage.seconds / longest, failed))
        at += stage.seconds
    return Bar(boot.worker, boot.began - began, boot.seconds, boot.failed, tuple(segments))
