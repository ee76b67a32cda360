"""The device plugins of a node, one for each kind of core, and the kubelet that they are registered with."""

import logging
from pathlib import Path

import grpc

from hybrid_kubernetes_agent.device_plugin.kubelet_socket import KubeletSocket, kubelet_socket
from hybrid_kubernetes_agent.device_plugin.plugin import DevicePlugin
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.resource import Resources

_LOG = logging.getLogger(__name__)


class DevicePlugins:
    """In the kubelet's `folder`."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self._folder = folder
        self._metrics = metrics
        self._plugins: dict[str, DevicePlugin] = {}
        self._registered: dict[str, KubeletSocket] = {}

    def show(self, resources: Resources) -> None:
        for resource, devices in resources.items():
            if resource not in self._plugins:
                self._plugins[resource] = DevicePlugin(self._folder, resource, self._metrics)
            self._plugins[resource].offer(devices)

    def meet_kubelet(self) -> None:
        """Registers whatever this kubelet does not know yet. One that starts removes the sockets of all plugins."""
        kubelet = kubelet_socket(self._folder)
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

    def stop(self) -> None:
        for plugin in self._plugins.values():
            plugin.stop()
