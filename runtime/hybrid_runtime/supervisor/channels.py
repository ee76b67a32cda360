"""The RPMsg channels in a container's output. Loaded only where an annotation names one."""

from time import monotonic

from hybrid_runtime.machine import Machine
from hybrid_runtime.path import as_named
from hybrid_runtime.processor.rpmsg import Channel, Unavailable
from hybrid_runtime.supervisor.output import Output

# What a firmware gets to announce its channels, before the log says that one is missing.
ANNOUNCEMENT_SECONDS = 2.0


class _Followed:
    """A channel, and what has been said of it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.missing_since = monotonic()
        self.told = ""


class Channels:
    """All of a container. They come and go with the core, and are looked for as long as it runs."""

    def __init__(self, machine: Machine, device: str, names: list[str], output: Output) -> None:
        self.output = output
        self.followed = [_Followed(Channel(machine, device, name)) for name in names]

    def begin(self) -> None:
        """The core has been started."""
        for each in self.followed:
            each.missing_since = monotonic()
        self.look()

    def descriptors(self) -> list[int]:
        """Readable, or in error, when there is something to `receive`."""
        return [each.channel.descriptor for each in self.followed if each.channel.descriptor is not None]

    def look(self) -> None:
        """Open what has appeared."""
        for each in self.followed:
            if each.channel.descriptor is None:
                self._open(each)
            else:
                try:
                    each.channel.greet()
                except OSError:
                    self._lose(each)

    def _open(self, each: _Followed) -> None:
        try:
            each.channel.open()
        except Unavailable as reason:
            waited = monotonic() - each.missing_since
            if str(reason) != each.told and waited > ANNOUNCEMENT_SECONDS:
                each.told = str(reason)
                self._tell(each, f"is not there: {reason}; it is looked for again")
            return
        each.told = ""
        self._tell(each, f"is `{each.channel.path}`")

    def receive(self) -> None:
        """What has come on any of them goes to the output."""
        for each in self.followed:
            if each.channel.descriptor is None:
                continue
            self.output.firmware(each.channel.read(), each.channel.name)
            if each.channel.descriptor is None:
                self._lose(each)

    def _lose(self, each: _Followed) -> None:
        each.channel.close()
        each.missing_since = monotonic()
        self.output.end_line(each.channel.name)
        self._tell(each, "is gone")

    def _tell(self, each: _Followed, what: str) -> None:
        self.output.supervisor(f"hybrid-runtime: rpmsg channel `{each.channel.name}` {as_named(what)}")

    def close(self) -> None:
        """The last words, and no more."""
        self.receive()
        for each in self.followed:
            each.channel.close()
