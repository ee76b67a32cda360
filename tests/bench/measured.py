"""What was measured, and what it is held against."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One line of the table. `at_most` is the budget, None for what is only told; `spread` says how far the samples
    lie around `value`, in the same unit."""

    name: str
    value: float
    at_most: float | None
    unit: str = ""
    spread: str = ""
    detail: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return self.at_most is None or self.value <= self.at_most

    def columns(self) -> tuple[str, ...]:
        unit = f" {self.unit}" if self.unit else ""
        budget = "" if self.at_most is None else f"{self.at_most:g}{unit}"
        verdict = "" if self.at_most is None else ("holds" if self.holds else "MISSED")
        return (self.name, f"{self.value:.4g}{unit}", self.spread, budget, verdict)


# Puts a row into the table and gives it back.
Note = Callable[[Row], Row]


def quartiles(samples: Sequence[float]) -> tuple[float, float]:
    """The range of the middle half."""
    low, _, high = statistics.quantiles(samples, n=4)
    return low, high


def percentile(samples: Sequence[float], percent: int) -> float:
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]


def ratio_row(name: str, samples: Sequence[float], base: Sequence[float], at_most: float | None) -> Row:
    """Medians against each other. Samples and base were taken in turns, so what slows the machine slows both."""
    median, base_median = statistics.median(samples), statistics.median(base)
    low, high = quartiles([sample / base_median for sample in samples])
    detail = {"ms": median * 1e3, "fastest_ms": min(samples) * 1e3, "fastest_ratio": min(samples) / min(base)}
    return Row(name, median / base_median, at_most, spread=f"{low:.2f} to {high:.2f}", detail=detail)


def table(rows: Sequence[Row]) -> list[str]:
    """Lines in columns, with a heading."""
    lines = [("measured", "value", "middle half", "at most", ""), *(row.columns() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
