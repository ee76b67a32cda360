"""In the place of what a container's annotations do not ask for: nothing is opened, read or kept."""

from hybrid_runtime.processor.remoteproc import Remoteproc


class NoChannels:
    """As Channels, for a container whose output has no RPMsg channel."""

    def begin(self) -> None:
        """Nothing to look for."""

    def descriptors(self) -> list[int]:
        return []

    def look(self) -> bool:
        return False

    def receive_from(self, descriptor: int) -> None:
        """Nothing comes."""

    def close(self) -> None:
        """Nothing is open."""


class NoDumps:
    """As CrashDumps, for a container that keeps none."""

    copy = None

    def begin(self, remoteproc: Remoteproc) -> None:
        """Nothing is in the way."""

    def look(self) -> None:
        """Nothing to begin with."""

    def step(self) -> bool:
        return False

    def provoke(self, remoteproc: Remoteproc) -> None:
        """The core stays as it is."""

    def finish(self) -> None:
        """Nothing to complete."""
