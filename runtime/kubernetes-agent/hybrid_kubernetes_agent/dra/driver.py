"""The DRA driver of this node: prepares claims for the kubelet, and tells it of the health of devices."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import grpc

from hybrid_kubernetes_agent.cdi import qualified_name
from hybrid_kubernetes_agent.dra import api
from hybrid_kubernetes_agent.dra.claims import PreparedClaims, PreparedDevice
from hybrid_kubernetes_agent.dra.cluster import ClusterError
from hybrid_kubernetes_agent.dra.resource_slice import DRIVER, SliceDevice
from hybrid_kubernetes_agent.followed import Followed
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.service import Method, SocketServer

_LOG = logging.getLogger(__name__)
# How often health is told again: what a kubelet has not heard of for 30 s is unknown to it.
_TELL_S = 10.0


class Claims(Protocol):
    """Where claims are read."""

    def claim(self, namespace: str, name: str) -> Mapping[str, Any]:
        """Raises ClusterError."""


class PrepareError(Exception):
    """A claim cannot be prepared; the kubelet shows the message as an event of the pod, and asks again."""


class DRADriver:
    """Two sockets: one by which the kubelet finds the driver, one for its work. `registered` is called whenever a
    kubelet has taken it."""

    def __init__(
        self,
        folder: Path,
        registry: Path,
        node: str,
        cluster: Claims,
        metrics: Metrics,
        registered: Callable[[], None],
    ) -> None:
        """Raises OSError and ValueError where the claims of an earlier agent cannot be read."""
        self._node = node
        self._cluster = cluster
        self._metrics = metrics
        self._registered = registered
        folder.mkdir(parents=True, exist_ok=True)
        self._claims = PreparedClaims(folder / "claims.json")
        self._devices: Followed[dict[str, SliceDevice]] = Followed({})
        prepare, unprepare = (api.driver(f"Node{verb}ResourcesRequest") for verb in ("Prepare", "Unprepare"))
        watch = Method(api.health("NodeWatchResourcesRequest"), self._watch, streams=True)
        self._work = SocketServer(
            folder / "dra.sock",
            {
                api.DRIVER: {
                    "NodePrepareResources": Method(prepare, metrics.timed(self._prepare)),
                    "NodeUnprepareResources": Method(unprepare, self._unprepare),
                },
                **{service: {"NodeWatchResources": watch} for service in api.HEALTH},
            },
        )
        self._found = SocketServer(
            registry / f"{DRIVER}-reg.sock",
            {
                api.REGISTRATION: {
                    "GetInfo": Method(api.registration("InfoRequest"), self._info),
                    "NotifyRegistrationStatus": Method(api.registration("RegistrationStatus"), self._notified),
                }
            },
        )

    @property
    def is_findable(self) -> bool:
        """A kubelet that starts may have removed the sockets."""
        return self._found.socket.exists() and self._work.socket.exists()

    def start(self) -> None:
        """Raises OSError where a socket cannot be made."""
        self._devices.open()
        self._work.start()
        # The kubelet looks as soon as this one is there.
        self._found.start()

    def stop(self) -> None:
        """The kubelet forgets a driver whose registration is gone. Raises OSError where a socket cannot be removed."""
        self._devices.close()
        self._found.stop()
        self._work.stop()

    def offer(self, devices: Mapping[str, SliceDevice]) -> None:
        """By their names in the slice."""
        self._devices.set(dict(devices))

    def _info(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return api.registration("PluginInfo")(
            type=api.PLUGIN_TYPE, name=DRIVER, endpoint=str(self._work.socket), supported_versions=api.VERSIONS
        )

    def _notified(self, request: Any, _context: grpc.ServicerContext) -> Any:
        if request.plugin_registered:
            self._metrics.registrations.labels(DRIVER).inc()
            _LOG.info("%s is registered", DRIVER)
            self._registered()
        else:
            _LOG.error("the kubelet does not register %s: %s", DRIVER, request.error)
        return api.registration("RegistrationStatusResponse")()

    def _prepare(self, request: Any, _context: grpc.ServicerContext) -> Any:
        answer = api.driver("NodePrepareResourcesResponse")()
        for claim in request.claims:
            entry = answer.claims[claim.uid]
            try:
                entry.devices.extend(map(_told, self._prepared(claim)))
            except (ClusterError, PrepareError, OSError) as error:
                _LOG.error("claim %s/%s: %s", claim.namespace, claim.name, error)
                entry.error = str(error)
        return answer

    def _prepared(self, claim: Any) -> Sequence[PreparedDevice]:
        """The same again for a claim that is prepared already."""
        kept = self._claims.get(claim.uid)
        if kept is not None:
            return kept
        found = self._cluster.claim(claim.namespace, claim.name)
        if found["metadata"]["uid"] != claim.uid:
            raise PrepareError(f"claim `{claim.namespace}/{claim.name}` is another one by now")
        results = found.get("status", {}).get("allocation", {}).get("devices", {}).get("results", [])
        ours = [result for result in results if result["driver"] == DRIVER]
        _require_one_each(ours)
        devices = [self._device(result) for result in ours]
        self._claims.keep(claim.uid, devices)
        for device in devices:
            self._metrics.allocations.labels(device.cdi.partition("=")[0]).inc()
            _LOG.info("%s was given to claim %s/%s", device.cdi, claim.namespace, claim.name)
        return devices

    def _device(self, result: Mapping[str, str]) -> PreparedDevice:
        known = self._devices.value.get(result["device"])
        if result["pool"] != self._node or known is None:
            raise PrepareError(f"there is no device `{result['device']}` on this node")
        cdi = qualified_name(known.resource, known.device.id)
        return PreparedDevice(result["request"], result["pool"], result["device"], cdi)

    def _unprepare(self, request: Any, _context: grpc.ServicerContext) -> Any:
        """Also of a claim that nobody knows: the kubelet asks until it is told so."""
        answer = api.driver("NodeUnprepareResourcesResponse")()
        for claim in request.claims:
            entry = answer.claims[claim.uid]
            try:
                self._claims.drop(claim.uid)
            except OSError as error:
                entry.error = str(error)
        return answer

    def _watch(self, _request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for devices in self._devices.follow(context.is_active, _TELL_S, repeats=True):
            yield _health(self._node, devices)


def _require_one_each(results: Sequence[Mapping[str, str]]) -> None:
    """A request is what a container takes, and a container runs one firmware. Raises PrepareError."""
    requests = [result["request"] for result in results]
    for request in requests:
        if requests.count(request) > 1:
            raise PrepareError(
                f"request `{request}` got {requests.count(request)} processors, and a container runs one firmware "
                "(ask for `count: 1`, in a request for each container)"
            )


def _told(device: PreparedDevice) -> Any:
    return api.driver("Device")(
        request_names=[device.request], pool_name=device.pool, device_name=device.device, cdi_device_ids=[device.cdi]
    )


def _health(node: str, devices: Mapping[str, SliceDevice]) -> Any:
    now = int(time.time())
    return api.health("NodeWatchResourcesResponse")(
        devices=[
            api.health("DeviceHealth")(
                device=api.health("DeviceIdentifier")(pool_name=node, device_name=name),
                health=api.HEALTHY if entry.device.is_healthy else api.UNHEALTHY,
                last_updated_time=now,
                message=entry.device.obstacle,
            )
            for name, entry in sorted(devices.items())
        ]
    )
