"""Container Device Interface: what a container gets that a processor was allocated to (CDI, SPEC.md)."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from hybrid_kubernetes_agent.resource import Device

FOLDER = Path("/var/run/cdi")
# The oldest that every engine with CDI reads.
VERSION = "0.5.0"
# Read by the runtime before anything else.
ALLOCATED = "REMOTEPROC_ALLOCATED"


def qualified_name(resource: str, device: str) -> str:
    return f"{resource}={device}"


def specification(resource: str, devices: Sequence[Device]) -> dict[str, object]:
    """An engine puts the variable behind those of the pod, and the last one counts."""
    entries = [
        {"name": device.id, "containerEdits": {"env": [f"{ALLOCATED}={device.id}"]}}
        for device in sorted(devices, key=lambda device: device.id)
    ]
    return {"cdiVersion": VERSION, "kind": resource, "devices": entries}


def path_of(folder: Path, resource: str) -> Path:
    return folder / f"{resource.replace('/', '-')}.json"


def write_specification(folder: Path, resource: str, devices: Sequence[Device]) -> None:
    """As a whole or not at all: engines read the folder at any time. Raises OSError."""
    text = json.dumps(specification(resource, devices), indent=1).encode()
    path = path_of(folder, resource)
    if path.exists() and path.read_bytes() == text:
        return
    folder.mkdir(parents=True, exist_ok=True)
    # Engines read names that end with .json or .yaml.
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(path)
