"""How long the runtime's verbs took."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybrid_hil.report.record import Run


@dataclass(frozen=True)
class Latency:
    """The successful calls of one verb, in seconds, sorted."""

    verb: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return quantile(self.seconds, 0.95)

    @property
    def slowest(self) -> float:
        return self.seconds[-1]


def latencies(runs: Iterable[Run]) -> list[Latency]:
    """Each verb's successful calls, the verbs called most first."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for case in run.cases:
            for call in case.observed.calls:
                if call.exit_status == 0:
                    found.setdefault(call.verb, []).append(call.duration_s)
    each = [Latency(verb, tuple(sorted(seconds))) for verb, seconds in found.items()]
    return sorted(each, key=lambda latency: (-len(latency.seconds), latency.verb))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above, between neighbours linearly."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def thinned(ordered: Sequence[float], most: int) -> list[float]:
    """At most so many of the values, evenly chosen, both ends among them."""
    if len(ordered) <= most:
        return list(ordered)
    step = (len(ordered) - 1) / (most - 1)
    return [ordered[round(index * step)] for index in range(most)]
