"""How processors are offered to a cluster: as devices of the kubelet, or by Dynamic Resource Allocation."""

from typing import Protocol

from hybrid_kubernetes_agent.resource import Resources


class Offer(Protocol):
    """All methods are called by one thread."""

    def show(self, resources: Resources) -> None:
        """What there is from now on, and what of it may be given away."""

    def meet_kubelet(self) -> None:
        """Makes oneself known to a kubelet that does not know of the offer yet."""

    def stop(self) -> None:
        """Leaves no socket. Raises OSError."""
