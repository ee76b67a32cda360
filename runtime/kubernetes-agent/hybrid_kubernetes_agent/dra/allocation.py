"""Dynamic Resource Allocation as an offer: the driver for the kubelet, and the slice for the scheduler."""

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from hybrid_kubernetes_agent.dra.cluster import ClusterError
from hybrid_kubernetes_agent.dra.driver import Claims, DRADriver
from hybrid_kubernetes_agent.dra.resource_slice import DRIVER, SliceDevice, by_slice_name, slice_name, slice_spec
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.resource import Resources

_LOG = logging.getLogger(__name__)
# A kubelet that was away for long, or an administrator, may have removed the slice.
SLICE_LOOK_S = 600.0
_AFTER_FAILURE_S = 10.0


class Slices(Claims, Protocol):
    """Where slices are kept, and claims are read."""

    def keep_slice(self, name: str, spec: Mapping[str, Any]) -> bool:
        """Whether anything had to be done. Raises ClusterError."""


class DynamicAllocation:
    """For the node that is called so."""

    def __init__(self, folder: Path, node: str, cluster: Slices, metrics: Metrics) -> None:
        """Raises OSError and ValueError where the claims of an earlier agent cannot be read."""
        self._node = node
        self._cluster = cluster
        self._metrics = metrics
        self._devices: dict[str, SliceDevice] = {}
        self._spec: dict[str, Any] | None = None
        self._next_look = 0.0
        # Set by the driver's thread: a kubelet removes the slices of drivers that it does not know.
        self._is_registered_anew = threading.Event()
        # Made by the kubelet.
        self._registry = folder / "plugins_registry"
        self._driver = DRADriver(
            *(folder / "plugins" / DRIVER, self._registry, node, cluster, metrics), self._is_registered_anew.set
        )
        self._is_started = False

    def show(self, resources: Resources) -> None:
        self._devices = by_slice_name(resources)
        self._driver.offer(self._devices)

    def meet_kubelet(self) -> None:
        if not (self._is_started and self._driver.is_findable) and self._registry.is_dir():
            self._start()
        spec = slice_spec(self._node, self._devices)
        anew = self._is_registered_anew.is_set()
        if anew or spec != self._spec or time.monotonic() >= self._next_look:
            self._is_registered_anew.clear()
            self._keep(spec)

    def _start(self) -> None:
        try:
            self._driver.stop()
            self._driver.start()
        except OSError as error:
            _LOG.warning("%s cannot be offered yet: %s", DRIVER, error)
            return
        self._is_started = True

    def _keep(self, spec: dict[str, Any]) -> None:
        try:
            if self._cluster.keep_slice(slice_name(self._node), spec):
                _LOG.info("the ResourceSlice has %d devices", len(spec["devices"]))
        except ClusterError as error:
            self._metrics.slice_failures.inc()
            _LOG.error("the ResourceSlice cannot be kept: %s", error)
            pause_s = _AFTER_FAILURE_S
        else:
            pause_s = SLICE_LOOK_S
        self._spec, self._next_look = spec, time.monotonic() + pause_s

    def stop(self) -> None:
        """The slice stays for a moment: a kubelet removes it when the driver does not come back (30 s)."""
        self._driver.stop()
