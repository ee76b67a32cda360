"""What was found of this machine, and what it is worth to the rig."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    OK = "ok"
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True)
class HostFinding:
    """One thing looked at; only `Severity.FAIL` keeps the rig from working."""

    subject: str
    severity: Severity
    found: str
    remedy: str = ""
