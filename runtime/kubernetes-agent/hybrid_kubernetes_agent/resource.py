"""Processors as resources of Kubernetes: which are of one kind, how each is called, and which may be given away."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hybrid_kubernetes_agent.processor import Processor

DOMAIN = "hybrid-runtime.io"
# Of a processor without a devicetree.
UNKNOWN_KIND = "core"
# CDI, SPEC.md, Kind and device names; narrower than the name of a resource may be.
_IN_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*[A-Za-z0-9]|[A-Za-z0-9]")


@dataclass(frozen=True)
class Device:
    """`id` is what the runtime takes for an allocation; `obstacle` is empty when it may be given away.

    `processor` is how it was seen last.
    """

    id: str
    processor: Processor
    obstacle: str = ""

    @property
    def is_healthy(self) -> bool:
        return not self.obstacle


Resources = Mapping[str, Sequence[Device]]


def resources_of(processors: Sequence[Processor], kinds: Mapping[str, str]) -> Resources:
    """Devices by the name of their resource. `kinds` calls processors otherwise, by name or device."""
    occurrences = Counter(processor.name for processor in processors)
    found: dict[str, list[Device]] = {}
    for processor in processors:
        is_only = occurrences[processor.name] == 1 and _IN_NAMES.fullmatch(processor.name)
        kind = kinds.get(processor.name) or kinds.get(processor.device) or processor.kind or UNKNOWN_KIND
        # The numbers of devices depend on the order of probing, so a name is better where it is one.
        device = Device(processor.name if is_only else processor.device, processor, _obstacle(processor))
        found.setdefault(f"{DOMAIN}/{kind}", []).append(device)
    return found


def _obstacle(processor: Processor) -> str:
    """A container that no kubelet has made is nothing that a scheduler knows of."""
    if processor.holder and processor.pod is None:
        return f"container `{processor.holder}` holds it, which is of no pod"
    return processor.obstacle


def with_missing(now: Resources, before: Resources) -> Resources:
    """What was offered once stays, unhealthy, so that whoever has it is told. A kubelet forgets what is left out."""
    merged = {name: list(devices) for name, devices in now.items()}
    for name, devices in before.items():
        present = {device.id for device in merged.setdefault(name, [])}
        merged[name] += [
            replace(device, obstacle="the processor is gone") for device in devices if device.id not in present
        ]
    return merged


def all_with_obstacle(resources: Resources, obstacle: str) -> Resources:
    """While nothing is known of any."""
    return {name: [replace(device, obstacle=obstacle) for device in devices] for name, devices in resources.items()}
