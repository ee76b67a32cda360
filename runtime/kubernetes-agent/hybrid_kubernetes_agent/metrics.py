"""What the agent tells Prometheus."""

from collections import Counter as Count
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from hybrid_kubernetes_agent.processor import Processor
from hybrid_kubernetes_agent.resource import Resources


class Metrics:
    """In a registry of its own, so that several agents of one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.processors = Gauge(
            "hybrid_processors", "Processors of this node by the state of sysfs.", ["state"], registry=self.registry
        )
        self.containers = Gauge(
            "hybrid_containers", "Containers that hold a processor of this node.", registry=self.registry
        )
        self.devices = Gauge(
            *("hybrid_devices", "Devices offered to the kubelet.", ["resource", "health"]), registry=self.registry
        )
        self.allocations = Counter(
            "hybrid_allocations", "Devices that the kubelet gave to a container.", ["resource"], registry=self.registry
        )
        self.registrations = Counter(
            "hybrid_registrations", "Registrations with a kubelet.", ["resource"], registry=self.registry
        )
        self.failures = Counter("hybrid_failures", "Looks at the processors that failed.", registry=self.registry)

    def show(self, processors: Sequence[Processor], resources: Resources) -> None:
        self.processors.clear()
        for state, count in Count(processor.state for processor in processors).items():
            self.processors.labels(state).set(count)
        self.containers.set(sum(bool(processor.container) for processor in processors))
        for resource, devices in resources.items():
            healthy = sum(device.is_healthy for device in devices)
            self.devices.labels(resource, "healthy").set(healthy)
            self.devices.labels(resource, "unhealthy").set(len(devices) - healthy)
