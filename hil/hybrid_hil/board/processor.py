"""An auxiliary core as the rig knows it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Processor:
    """`name` is the remoteproc name; `firmware` the folder of ELFs linked for this core; `speaker` the word with which
    those begin their lines."""

    name: str
    firmware: Path
    speaker: str
