"""An auxiliary core as the rig knows it."""

from dataclasses import dataclass
from pathlib import Path

# What a core, its driver and its kernel may offer to tests.
FEATURES = {
    "rpmsg": "RPMsg",
    "coredump": "core dumps",
    "watchdog": "a watchdog that reports faults of the firmware",
    "attach": "attaching to a core that runs before Linux",
}
# Of a board that does not say.
USUAL_FEATURES = frozenset({"rpmsg", "coredump"})


@dataclass(frozen=True)
class Processor:
    """`name` is the remoteproc name; `firmware` the folder of ELFs linked for this core; `speaker` the word with which
    those begin their lines; `features` are keys of FEATURES."""

    name: str
    firmware: Path
    speaker: str
    features: frozenset[str] = USUAL_FEATURES
