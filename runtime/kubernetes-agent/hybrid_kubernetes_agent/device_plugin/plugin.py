"""One resource offered to the kubelet: a gRPC server on a socket of its own, registered with the kubelet's."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from hybrid_kubernetes_agent.cdi import ALLOCATED, qualified_name
from hybrid_kubernetes_agent.device_plugin_api import API_VERSION, HEALTHY, REGISTER, SERVICE, UNHEALTHY, message
from hybrid_kubernetes_agent.resource import Device

FOLDER = Path("/var/lib/kubelet/device-plugins")
KUBELET_SOCKET = "kubelet.sock"
REGISTER_S = 10.0
# A kubelet holds one stream, and an old one may not have ended yet.
_THREADS = 8
_STOP_S = 1.0
# How often a stream looks whether its client is still there.
_LOOK_S = 5.0


class DevicePlugin:
    """Serves after `start`, until `stop`. What it offers changes with `offer`."""

    def __init__(self, folder: Path, resource: str, allocated: Callable[[str], None]) -> None:
        """`allocated` is told of each device that the kubelet gives away."""
        self.folder = folder
        self.resource = resource
        self.allocated = allocated
        self._changed = threading.Condition()
        self._devices: tuple[Device, ...] = ()
        self._version = 1
        self._serves = False
        self._server: grpc.Server | None = None

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.resource.replace('/', '-')}.sock"

    def offer(self, devices: Sequence[Device]) -> None:
        with self._changed:
            if tuple(devices) != self._devices:
                self._devices = tuple(devices)
                self._version += 1
                self._changed.notify_all()

    def start(self) -> None:
        """Raises OSError where the socket cannot be made."""
        self.socket.unlink(missing_ok=True)
        server = grpc.server(ThreadPoolExecutor(max_workers=_THREADS))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        if not server.add_insecure_port(f"unix://{self.socket}"):
            raise OSError(f"cannot listen on `{self.socket}`")
        self._serves = True
        server.start()
        self._server = server

    def stop(self) -> None:
        with self._changed:
            self._serves = False
            self._changed.notify_all()
        if self._server is not None:
            self._server.stop(_STOP_S).wait()
            self._server = None
        self.socket.unlink(missing_ok=True)

    def register(self) -> None:
        """Raises grpc.RpcError where the kubelet does not take it."""
        request = message("RegisterRequest")(
            version=API_VERSION, endpoint=self.socket.name, resource_name=self.resource, options=self._options()
        )
        with grpc.insecure_channel(f"unix://{self.folder / KUBELET_SOCKET}") as channel:
            call = channel.unary_unary(
                REGISTER,
                request_serializer=lambda sent: sent.SerializeToString(),
                response_deserializer=message("Empty").FromString,
            )
            call(request, timeout=REGISTER_S)

    def _handlers(self) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
        def of(make: Callable[..., Any], act: Callable[..., Any], request: str) -> Any:
            return make(
                act,
                request_deserializer=message(request).FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )

        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        return {
            "GetDevicePluginOptions": of(unary, lambda _request, _context: self._options(), "Empty"),
            "ListAndWatch": of(stream, lambda _request, context: self._watch(context), "Empty"),
            "Allocate": of(unary, self._allocate, "AllocateRequest"),
        }

    @staticmethod
    def _options() -> Any:
        return message("DevicePluginOptions")(pre_start_required=False, get_preferred_allocation_available=False)

    def _watch(self, context: grpc.ServicerContext) -> Iterator[Any]:
        """All devices, and again at every change."""
        sent = 0
        while context.is_active() and self._serves:
            version, devices = self._after(sent)
            if version != sent and self._serves:
                sent = version
                yield message("ListAndWatchResponse")(devices=[_shown(device) for device in devices])

    def _after(self, version: int) -> tuple[int, tuple[Device, ...]]:
        """The present version and its devices: another one than that, or the same after a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version or not self._serves, _LOOK_S)
            return self._version, self._devices

    def _allocate(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Never refused for a device's health, which the kubelet has looked at: a container that comes back after a
        reboot is allocated before anything else is known."""
        known = {device.id for device in self._devices}
        answers = []
        for container in request.container_requests:
            ids = list(container.devices_ids)
            if len(ids) != 1:
                said = f"a container runs one firmware, and {len(ids)} of `{self.resource}` were asked for"
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{said} (give each container of the pod its own)")
            if ids[0] not in known:
                context.abort(grpc.StatusCode.NOT_FOUND, f"`{ids[0]}` is no device of `{self.resource}`")
            self.allocated(ids[0])
            answers.append(_answer(self.resource, ids[0]))
        return message("AllocateResponse")(container_responses=answers)


def _shown(device: Device) -> Any:
    return message("Device")(ID=device.id, health=HEALTHY if device.is_healthy else UNHEALTHY)


def _answer(resource: str, device: str) -> Any:
    """By CDI, and for engines without it by the variable alone, where one of the pod would win."""
    name = message("CDIDevice")(name=qualified_name(resource, device))
    return message("ContainerAllocateResponse")(envs={ALLOCATED: device}, cdi_devices=[name])
