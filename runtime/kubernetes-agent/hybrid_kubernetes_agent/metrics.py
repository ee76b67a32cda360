"""What the agent tells Prometheus."""

from collections import Counter as Count
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

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
        self.allocation_s = Histogram(
            *("hybrid_allocation_seconds", "What the kubelet waited for an allocation."), registry=self.registry
        )
        self.restarts = Counter(
            *("hybrid_restarts", "Containers that came back in their pod, on the same processor.", ["processor"]),
            registry=self.registry,
        )
        self.registrations = Counter(
            "hybrid_registrations", "Registrations with a kubelet.", ["resource"], registry=self.registry
        )
        self.slice_failures = Counter(
            "hybrid_slice_failures", "ResourceSlices that the API server did not take.", registry=self.registry
        )
        self.failures = Counter("hybrid_failures", "Looks at the processors that failed.", registry=self.registry)
        self._tallies = _Tallies()
        self.registry.register(self._tallies)
        self._before: dict[str, Processor] = {}

    def timed(self, allocate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """The same method of a service, and how long each call takes is measured."""

        def measured(request: Any, context: Any) -> Any:
            with self.allocation_s.time():
                return allocate(request, context)

        return measured

    def show(self, processors: Sequence[Processor], resources: Resources) -> None:
        self.processors.clear()
        for state, count in Count(processor.state for processor in processors).items():
            self.processors.labels(state).set(count)
        self.containers.set(sum(bool(processor.holder) for processor in processors))
        self.devices.clear()
        for resource, devices in resources.items():
            healthy = sum(device.is_healthy for device in devices)
            self.devices.labels(resource, "healthy").set(healthy)
            self.devices.labels(resource, "unhealthy").set(len(devices) - healthy)
        self._count_restarts(processors)
        self._tallies.processors = processors

    def _count_restarts(self, processors: Sequence[Processor]) -> None:
        for processor in processors:
            before = self._before.get(processor.device)
            if processor.pod and before and before.pod == processor.pod and before.holder != processor.holder:
                self.restarts.labels(processor.name).inc()
            if processor.pod:
                self._before[processor.device] = processor


class _Tallies(Collector):
    """Counters that the runtime keeps: they begin anew when the node is booted."""

    processors: Sequence[Processor] = ()

    def collect(self) -> Iterator[CounterMetricFamily]:
        starts = CounterMetricFamily("hybrid_starts", "Starts of a processor by containers.", labels=["processor"])
        crashes = CounterMetricFamily("hybrid_crashes", "Crashes of a processor's firmware.", labels=["processor"])
        for processor in self.processors:
            # Names need not be unique, and a label that comes twice is refused by Prometheus.
            starts.add_metric([_label(processor, self.processors)], processor.starts)
            crashes.add_metric([_label(processor, self.processors)], processor.crashes)
        yield starts
        yield crashes


def _label(processor: Processor, among: Sequence[Processor]) -> str:
    is_only = sum(processor.name == other.name for other in among) == 1
    return processor.name if is_only else processor.device
