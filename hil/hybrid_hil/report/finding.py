"""Something about a board that its owner should know."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`doctor`'s own words; only a problem keeps firmware from running."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """`remedy` is empty where nothing needs to be done."""

    level: Level
    title: str
    text: str = ""
    remedy: str = ""
