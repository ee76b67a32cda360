"""A kubelet as DRA drivers see it: it looks into a folder for their sockets, and calls them, by the published API."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from tests.unit.kubernetes_agent.kubelet_double import ANSWER_S
from tests.unit.kubernetes_agent.published_api import API, DRA, DRA_HEALTH, REGISTRATION

NAME = "hybrid-runtime.io"


class DRAKubeletDouble:
    """Of `folder`. Its own work is done by the test's thread, but for the health that it follows."""

    def __init__(self, folder: Path, published: Callable[[str], API]) -> None:
        self.registry = folder / "plugins_registry"
        self.registration, self.dra, self.health_api = (published(name) for name in (REGISTRATION, DRA, DRA_HEALTH))
        self.health: dict[str, tuple[int, str]] = {}
        self._changed = threading.Condition()
        self._channels: list[grpc.Channel] = []

    def stop(self) -> None:
        for channel in self._channels:
            channel.close()
        self._channels.clear()

    def meet(self, *, error: str = "") -> None:
        """The driver, as soon as it is there. With an `error` it is told that it is not taken."""
        (socket,) = self._sockets()
        with grpc.insecure_channel(f"unix://{socket}") as channel:
            stub = self.registration.stubs.RegistrationStub(channel)
            info = stub.GetInfo(self.registration.messages.InfoRequest(), timeout=ANSWER_S, wait_for_ready=True)
            assert (info.type, info.name) == ("DRAPlugin", NAME)
            assert list(info.supported_versions) == [
                *("v1.DRAPlugin", "v1alpha1.DRAResourceHealth", "v1.DRAResourceHealth")
            ]
            status = self.registration.messages.RegistrationStatus(plugin_registered=not error, error=error)
            stub.NotifyRegistrationStatus(status, timeout=ANSWER_S)
        if not error:
            work = grpc.insecure_channel(f"unix://{info.endpoint}")
            self._channels.append(work)
            self.driver = self.dra.stubs.DRAPluginStub(work)
            threading.Thread(target=self._follow, args=(work,), daemon=True).start()

    def _sockets(self) -> list[Path]:
        pause = threading.Event()
        for _ in range(int(ANSWER_S / 0.05)):
            if found := list(self.registry.glob("*-reg.sock")):
                return found
            pause.wait(0.05)
        raise AssertionError(f"there is no socket in {self.registry}")

    def _follow(self, channel: grpc.Channel) -> None:
        stub = self.health_api.stubs.DRAResourceHealthStub(channel)
        try:
            for answer in stub.NodeWatchResources(self.health_api.messages.NodeWatchResourcesRequest()):
                with self._changed:
                    self.health = {
                        entry.device.device_name: (entry.health, entry.message)
                        for entry in answer.devices
                        if entry.device.pool_name == "node-a" and entry.last_updated_time > 0
                    }
                    self._changed.notify_all()
        except (grpc.RpcError, ValueError):
            # The driver or this double has gone.
            pass

    def wait_for_health(self, health: dict[str, tuple[int, str]]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.health == health, ANSWER_S), self.health

    def prepare(self, name: str, uid: str) -> Any:  # noqa: ANN401  made at run time
        """What the driver answers for one claim of the namespace `factory`."""
        claim = self.dra.messages.Claim(namespace="factory", name=name, uid=uid)
        request = self.dra.messages.NodePrepareResourcesRequest(claims=[claim])
        answer = self.driver.NodePrepareResources(request, timeout=ANSWER_S)
        assert list(answer.claims) == [uid]
        return answer.claims[uid]

    def unprepare(self, name: str, uid: str) -> str:
        """The error that the driver answers with."""
        claim = self.dra.messages.Claim(namespace="factory", name=name, uid=uid)
        request = self.dra.messages.NodeUnprepareResourcesRequest(claims=[claim])
        answer = self.driver.NodeUnprepareResources(request, timeout=ANSWER_S)
        assert list(answer.claims) == [uid]
        error: str = answer.claims[uid].error
        return error
