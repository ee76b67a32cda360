"""The loop: what the runtime tells becomes what the kubelet is offered."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from hybrid_kubernetes_agent import cdi, device_plugin
from hybrid_kubernetes_agent.device_plugin import DevicePlugin
from hybrid_kubernetes_agent.kubelet import KubeletSocket, kubelet_socket
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.processor import Processor, ProcessorsUnknownError, read_processors
from hybrid_kubernetes_agent.resource import Device, Resources, resources_of, with_missing

_LOG = logging.getLogger(__name__)
# A kubelet that was restarted is met again within this time.
KUBELET_LOOK_S = 1.0
# The runtime is asked again before its processors count as lost.
_MOST_FAILURES = 3


@dataclass(frozen=True)
class Settings:
    """`kinds` calls processors otherwise. `look_s` is how often the runtime is asked."""

    command: Sequence[str] = ("hybrid-runtime",)
    plugins: Path = device_plugin.FOLDER
    specifications: Path = cdi.FOLDER
    kinds: Mapping[str, str] = field(default_factory=dict)
    look_s: float = 5.0


class Agent:
    """`read` is asked for the processors at each look."""

    def __init__(
        self, settings: Settings, metrics: Metrics, read: Callable[[Sequence[str]], list[Processor]] = read_processors
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._read = read
        self._plugins: dict[str, DevicePlugin] = {}
        self._registered: dict[str, KubeletSocket] = {}
        self._resources: Resources = {}
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Nothing is left then but the specifications, which running containers may need."""
        next_look = time.monotonic()
        try:
            while not stop.is_set():
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + self._settings.look_s
                    self.look()
                self.meet_kubelet()
                stop.wait(KUBELET_LOOK_S)
        finally:
            for plugin in self._plugins.values():
                plugin.stop()

    def look(self) -> None:
        """At the processors, and what has changed is offered."""
        try:
            processors = self._read(self._settings.command)
        except ProcessorsUnknownError as error:
            self._failures += 1
            self._metrics.failures.inc()
            _LOG.error("%s", error)
            if self._failures >= _MOST_FAILURES:
                self._offer(
                    {name: [Device(one.id, str(error)) for one in old] for name, old in self._resources.items()}
                )
            return
        self._failures = 0
        self._offer(with_missing(resources_of(processors, self._settings.kinds), self._resources))
        self._metrics.show(processors, self._resources)

    def _offer(self, resources: Resources) -> None:
        self._tell_changes(resources)
        self._resources = resources
        for resource, devices in resources.items():
            cdi.write_specification(self._settings.specifications, resource, devices)
            if resource not in self._plugins:
                allocated = self._allocated(resource)
                self._plugins[resource] = DevicePlugin(self._settings.plugins, resource, allocated)
            self._plugins[resource].offer(devices)

    def _tell_changes(self, resources: Resources) -> None:
        before = {(name, device.id): device.obstacle for name, old in self._resources.items() for device in old}
        for name, devices in resources.items():
            for device in devices:
                if before.get((name, device.id), "nothing is known yet") != device.obstacle:
                    _LOG.info("%s of %s: %s", device.id, name, device.obstacle or "may be given away")

    def _allocated(self, resource: str) -> Callable[[str], None]:
        def count(device: str) -> None:
            self._metrics.allocations.labels(resource).inc()
            _LOG.info("%s of %s was given to a container", device, resource)

        return count

    def meet_kubelet(self) -> None:
        """Registers whatever this kubelet does not know yet. One that starts removes the sockets of all plugins."""
        kubelet = kubelet_socket(self._settings.plugins)
        if kubelet is None:
            return
        for resource, plugin in self._plugins.items():
            if self._registered.get(resource) == kubelet and plugin.socket.exists():
                continue
            self._registered.pop(resource, None)
            try:
                plugin.stop()
                plugin.start()
                plugin.register()
            except (OSError, grpc.RpcError) as error:
                _LOG.warning("%s cannot be registered yet: %s", resource, error)
                continue
            self._registered[resource] = kubelet
            self._metrics.registrations.labels(resource).inc()
            _LOG.info("%s is registered", resource)
