"""The loop: what the runtime tells becomes what the cluster is offered."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hybrid_kubernetes_agent import cdi
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.offer import Offer
from hybrid_kubernetes_agent.processor import Processor, ProcessorsUnknownError, read_processors
from hybrid_kubernetes_agent.resource import Resources, all_with_obstacle, resources_of, with_missing

_LOG = logging.getLogger(__name__)
# A kubelet that was restarted is met again within this time.
KUBELET_LOOK_S = 1.0
# The runtime is asked again before its processors count as lost.
_MOST_FAILURES = 3


@dataclass(frozen=True)
class Settings:
    """`kinds` calls processors otherwise. `look_s` is how often the runtime is asked."""

    command: Sequence[str] = ("hybrid-runtime",)
    specifications: Path = cdi.FOLDER
    kinds: Mapping[str, str] = field(default_factory=dict)
    look_s: float = 5.0


class Agent:
    """`read` is asked for the processors at each look."""

    def __init__(
        self,
        settings: Settings,
        offer: Offer,
        metrics: Metrics,
        read: Callable[[Sequence[str]], list[Processor]] = read_processors,
    ) -> None:
        self._settings = settings
        self._offer = offer
        self._metrics = metrics
        self._read = read
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
                self._offer.meet_kubelet()
                stop.wait(KUBELET_LOOK_S)
        finally:
            self._offer.stop()

    def look(self) -> None:
        """At the processors, and what has changed is offered."""
        try:
            processors = self._read(self._settings.command)
        except ProcessorsUnknownError as error:
            self._failures += 1
            self._metrics.failures.inc()
            _LOG.error("%s", error)
            if self._failures >= _MOST_FAILURES:
                self._show(all_with_obstacle(self._resources, str(error)))
            return
        self._failures = 0
        self._show(with_missing(resources_of(processors, self._settings.kinds), self._resources))
        self._metrics.show(processors, self._resources)

    def _show(self, resources: Resources) -> None:
        self._tell_changes(resources)
        self._resources = resources
        for resource, devices in resources.items():
            try:
                cdi.write_specification(self._settings.specifications, resource, devices)
            except OSError as error:
                _LOG.error("no specification of %s: %s", resource, error)
        self._offer.show(resources)

    def _tell_changes(self, resources: Resources) -> None:
        before = {(name, device.id): device.obstacle for name, old in self._resources.items() for device in old}
        for name, devices in resources.items():
            for device in devices:
                if before.get((name, device.id), "nothing is known yet") != device.obstacle:
                    _LOG.info("%s of %s: %s", device.id, name, device.obstacle or "may be given away")
