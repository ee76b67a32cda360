"""What was found of this machine, and what it is worth to the rig."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; only `Verdict.FAIL` keeps the rig from working."""

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""
