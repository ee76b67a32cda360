"""A kubelet as device plugins see it: real gRPC on sockets, by the API that Kubernetes has published."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from tests.unit.kubernetes_agent.published_api import API

ANSWER_S = 10.0


class KubeletDouble:
    """Takes registrations between `start` and `stop`, and follows the devices of each plugin."""

    def __init__(self, folder: Path, api: API) -> None:
        self.folder = folder
        self.messages = api.messages
        self.stubs = api.stubs
        self.registrations: list[str] = []
        self.devices: dict[str, dict[str, str]] = {}
        self.ended: set[str] = set()
        self._changed = threading.Condition()
        self._server: grpc.Server | None = None
        self._channels: dict[str, grpc.Channel] = {}

    @property
    def socket(self) -> Path:
        return self.folder / "kubelet.sock"

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4))
        self.stubs.add_RegistrationServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"unix://{self.socket}")
        self._server.start()

    def stop(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def restart(self, *, sweeps: bool = True) -> None:
        """As a kubelet does it, which removes whatever sockets it finds."""
        self.stop()
        with self._changed:
            self.registrations.clear()
            self.devices.clear()
        if sweeps:
            for path in self.folder.glob("*.sock"):
                path.unlink()
        self.start()

    def Register(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002  gRPC's name
        assert request.version == "v1beta1"
        channel = grpc.insecure_channel(f"unix://{self.folder / request.endpoint}")
        with self._changed:
            self.registrations.append(request.resource_name)
            self._channels[request.resource_name] = channel
        threading.Thread(target=self._follow, args=(request.resource_name, channel), daemon=True).start()
        return self.messages.Empty()

    def _follow(self, resource: str, channel: grpc.Channel) -> None:
        try:
            for answer in self.stubs.DevicePluginStub(channel).ListAndWatch(self.messages.Empty()):
                with self._changed:
                    self.devices[resource] = {device.ID: device.health for device in answer.devices}
                    self._changed.notify_all()
        except (grpc.RpcError, ValueError):
            # The plugin or this double has gone.
            pass
        with self._changed:
            self.ended.add(resource)
            self._changed.notify_all()

    def wait_for(self, resource: str, devices: dict[str, str]) -> None:
        with self._changed:
            found = self._changed.wait_for(lambda: self.devices.get(resource) == devices, ANSWER_S)
            assert found, self.devices

    def allocate(self, resource: str, *devices: str) -> Any:  # noqa: ANN401  made at run time
        """What the container gets. Raises grpc.RpcError."""
        asked = self.messages.ContainerAllocateRequest(devices_ids=devices)
        request = self.messages.AllocateRequest(container_requests=[asked])
        answer = self.stubs.DevicePluginStub(self._channels[resource]).Allocate(request, timeout=ANSWER_S)
        return answer.container_responses[0]
