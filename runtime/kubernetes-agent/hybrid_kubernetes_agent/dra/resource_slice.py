"""The processors of a node as a ResourceSlice (resource.k8s.io/v1)."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hybrid_kubernetes_agent.resource import DOMAIN, Device, Resources

GROUP, VERSION = "resource.k8s.io", "v1"
# The name of the driver in DeviceClasses, and the domain of its attributes.
DRIVER = DOMAIN
# DeviceMaxAttributeValueLength, and a DNS label (resource.k8s.io/v1, types.go).
_MOST_CHARACTERS = 64
_MOST_IN_NAMES = 63
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class SliceDevice:
    """A device, and the resource that it is one of."""

    resource: str
    device: Device


def by_slice_name(resources: Resources) -> dict[str, SliceDevice]:
    """Devices by what a slice calls them: DNS labels, by which also `10000.r5f` and `10000-r5f` would be one."""
    found = [SliceDevice(resource, device) for resource, devices in resources.items() for device in devices]
    occurrences = Counter(_label(entry.device.id) for entry in found)
    names = {}
    for entry in found:
        name = _label(entry.device.id)
        names[name if name and occurrences[name] == 1 else _label(entry.device.processor.device)] = entry
    return names


def _label(name: str) -> str:
    return _NOT_IN_NAMES.sub("-", name.lower())[:_MOST_IN_NAMES].strip("-")


def slice_name(node: str) -> str:
    return f"{node}-{DRIVER}"


def slice_spec(node: str, devices: Mapping[str, SliceDevice]) -> dict[str, Any]:
    """One pool of one slice, since a node has a handful of processors. What cannot be given away is left out: taints
    would say the same, and clusters before 1.36 do not heed them."""
    healthy = {name: entry for name, entry in sorted(devices.items()) if entry.device.is_healthy}
    return {
        "driver": DRIVER,
        "nodeName": node,
        "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
        "devices": [{"name": name, "attributes": _attributes(entry)} for name, entry in healthy.items()],
    }


def _attributes(entry: SliceDevice) -> dict[str, dict[str, str]]:
    processor = entry.device.processor
    values = {
        "name": processor.name,
        "kind": entry.resource.partition("/")[2],
        "device": processor.device,
        "driver": processor.driver,
        "board": processor.board,
        "soc": processor.soc,
        "state": processor.state,
    }
    return {name: {"string": value[:_MOST_CHARACTERS]} for name, value in values.items() if value}
