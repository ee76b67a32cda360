"""One resource offered to the kubelet: a gRPC server on a socket of its own, registered with the kubelet's."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc

from hybrid_kubernetes_agent.cdi import ALLOCATED, qualified_name
from hybrid_kubernetes_agent.device_plugin.api import API_VERSION, HEALTHY, REGISTER, SERVICE, UNHEALTHY, message
from hybrid_kubernetes_agent.device_plugin.kubelet_socket import KUBELET_SOCKET
from hybrid_kubernetes_agent.followed import Followed
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.resource import Device
from hybrid_kubernetes_agent.service import Method, SocketServer

_LOG = logging.getLogger(__name__)
_REGISTER_S = 10.0
# How often a stream looks whether its client is still there.
_LOOK_S = 5.0


class DevicePlugin:
    """Serves after `start`, until `stop`. What it offers changes with `offer`."""

    def __init__(self, folder: Path, resource: str, metrics: Metrics) -> None:
        self.folder = folder
        self.resource = resource
        self._metrics = metrics
        # Health by the id of the device.
        self._devices: Followed[dict[str, str]] = Followed({})
        methods = {
            "GetDevicePluginOptions": Method(message("Empty"), lambda _request, _context: _options()),
            "ListAndWatch": Method(message("Empty"), self._watch, streams=True),
            "Allocate": Method(message("AllocateRequest"), metrics.timed(self._allocate)),
        }
        self._server = SocketServer(folder / f"{resource.replace('/', '-')}.sock", {SERVICE: methods})

    @property
    def socket(self) -> Path:
        return self._server.socket

    def offer(self, devices: Sequence[Device]) -> None:
        self._devices.set({device.id: HEALTHY if device.is_healthy else UNHEALTHY for device in devices})

    def start(self) -> None:
        """Raises OSError where the socket cannot be made."""
        self._devices.open()
        self._server.start()

    def stop(self) -> None:
        """Raises OSError where the socket cannot be removed."""
        self._devices.close()
        self._server.stop()

    def register(self) -> None:
        """Raises grpc.RpcError where the kubelet does not take it."""
        request = message("RegisterRequest")(
            version=API_VERSION, endpoint=self.socket.name, resource_name=self.resource, options=_options()
        )
        with grpc.insecure_channel(f"unix://{self.folder / KUBELET_SOCKET}") as channel:
            call = channel.unary_unary(
                REGISTER,
                request_serializer=lambda sent: sent.SerializeToString(),
                response_deserializer=message("Empty").FromString,
            )
            call(request, timeout=_REGISTER_S)

    def _watch(self, _request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """All devices, and again at every change."""
        for devices in self._devices.follow(context.is_active, _LOOK_S):
            told = [message("Device")(ID=name, health=health) for name, health in sorted(devices.items())]
            yield message("ListAndWatchResponse")(devices=told)

    def _allocate(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Never refused for a device's health, which the kubelet has looked at: a container that comes back after a
        reboot is allocated before anything else is known."""
        known = self._devices.value
        answers = []
        for container in request.container_requests:
            ids = list(container.devices_ids)
            if len(ids) != 1:
                said = f"a container runs one firmware, and {len(ids)} of `{self.resource}` were asked for"
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{said} (give each container of the pod its own)")
            if ids[0] not in known:
                context.abort(grpc.StatusCode.NOT_FOUND, f"`{ids[0]}` is no device of `{self.resource}`")
            self._metrics.allocations.labels(self.resource).inc()
            _LOG.info("%s of %s was given to a container", ids[0], self.resource)
            answers.append(_answer(self.resource, ids[0]))
        return message("AllocateResponse")(container_responses=answers)


def _options() -> Any:
    return message("DevicePluginOptions")(pre_start_required=False, get_preferred_allocation_available=False)


def _answer(resource: str, device: str) -> Any:
    """By CDI, and for engines without it by the variable alone, where one of the pod would win."""
    name = message("CDIDevice")(name=qualified_name(resource, device))
    return message("ContainerAllocateResponse")(envs={ALLOCATED: device}, cdi_devices=[name])
