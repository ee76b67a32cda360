"""What a board says of itself, asked with its own Python."""

import json
from dataclasses import dataclass
from typing import Any

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.report.finding import Finding, Level
from hybrid_hil.shell import Shell

ASK_S = 60.0
ENGINES = ("podman", "docker", "containerd", "crio", "k3s")
# Reads only, and no /dev/remoteprocN: closing one may stop a core.
_QUESTION = f"""
import glob, json, os, platform, shutil

def text(path):
    try:
        with open(path, "rb") as file:
            return file.read().rstrip(b"\\0\\n").replace(b"\\0", b", ").decode(errors="replace")
    except OSError:
        return ""

def driver(folder):
    # A core's own device may have none: then its cluster's is bound.
    while folder != "/" and not os.path.exists(folder + "/driver"):
        folder = os.path.dirname(folder)
    return os.path.basename(os.path.realpath(folder + "/driver")) if folder != "/" else ""

def processor(folder):
    words = ("name", "state", "firmware", "recovery", "coredump")
    return {{word: text(folder + "/" + word) for word in words}} | {{
        "device": os.path.basename(folder),
        "driver": driver(os.path.realpath(folder + "/device")),
        "compatible": text(folder + "/device/of_node/compatible"),
        "character_device": os.path.exists("/dev/" + os.path.basename(folder)),
    }}

print(json.dumps({{
    "model": text("/proc/device-tree/model"),
    "kernel": platform.release(),
    "python": platform.python_version(),
    "firmware_path": text("/sys/module/firmware_class/parameters/path"),
    "engines": [name for name in {ENGINES!r} if shutil.which(name)],
    "processors": [processor(folder) for folder in sorted(glob.glob("/sys/class/remoteproc/remoteproc*"))],
}}))
"""


@dataclass(frozen=True)
class ProcessorFacts:
    """One remoteproc instance, as sysfs and the devicetree have it."""

    device: str
    name: str
    state: str
    firmware: str
    recovery: str
    coredump: str
    driver: str
    compatible: str
    character_device: bool


@dataclass(frozen=True)
class BoardFacts:
    """`firmware_path` is the kernel's additional folder of firmware; empty strings are what it does not tell."""

    model: str
    kernel: str
    python: str
    firmware_path: str
    engines: tuple[str, ...]
    processors: tuple[ProcessorFacts, ...]

    def named(self, name: str) -> list[ProcessorFacts]:
        return [processor for processor in self.processors if processor.name == name]


def ask(shell: Shell) -> BoardFacts:
    answer: dict[str, Any] = json.loads(shell.run(["python3", "-I", "-c", _QUESTION], deadline=Deadline(ASK_S)).stdout)
    processors = tuple(ProcessorFacts(**facts) for facts in answer.pop("processors"))
    return BoardFacts(**answer | {"engines": tuple(answer["engines"]), "processors": processors})


def doctor(runtime: DeployedRuntime) -> list[Finding]:
    """What the runtime itself finds there."""
    answer = runtime.run("doctor", "--format", "json", check=False, deadline=Deadline(ASK_S))
    return [
        Finding(Level(found["level"]), found["title"], found["text"], found["remedy"])
        for found in json.loads(answer.stdout)
    ]
