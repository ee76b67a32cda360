"""The RPMsg channels in a container's output. Loaded only where an annotation names one."""

from time import monotonic

from hybrid_runtime.processor.rpmsg import Announcement, Channel, Unavailable, announced
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.system.path import as_named
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybrid_runtime.bundle.annotations import NamedChannel

# What a firmware gets to announce its channels, before the log says that one is missing.
ANNOUNCEMENT_SECONDS = 2.0
# Once there is one of each name and all are open: a search goes through the processor's folders.
SEARCH_AGAIN_SECONDS = 5.0
MOST_CHANNELS = 16
# Of all channels together; more is read at the next turn, so that a talkative core keeps nobody waiting.
_MOST_AT_ONCE = 64 * 1024


class _Absence:
    """Of a channel, and what has been said of it."""

    def __init__(self) -> None:
        self.since = monotonic()
        self.told = ""

    def is_news(self, reason: str) -> bool:
        """Not at once: most of it passes."""
        if reason == self.told or monotonic() - self.since <= ANNOUNCEMENT_SECONDS:
            return False
        self.told = reason
        return True


class _Followed:
    """A channel that has been announced."""

    def __init__(self, system: SystemPaths, announcement: Announcement) -> None:
        self.channel = Channel(system, announcement)
        self.absence = _Absence()

    @property
    def name(self) -> str:
        return self.channel.announcement.name

    @property
    def full_name(self) -> str:
        return _full_name(self.name, self.channel.announcement.address)

    @property
    def is_open(self) -> bool:
        return self.channel.descriptor is not None


class Channels:
    """All of a container. They come and go with the core, and are looked for as long as it runs."""

    def __init__(self, system: SystemPaths, device: str, wanted: "list[NamedChannel]", output: Output) -> None:
        self.system = system
        self.device = device
        self.output = output
        self.wanted = wanted
        self.unannounced = {each: _Absence() for each in wanted}
        self.followed: dict[str, _Followed] = {}
        # Names that more than one channel has.
        self.several: set[str] = set()
        self.left_out = False
        self.next_search = self.settled = monotonic()

    def begin(self) -> None:
        """The core has been started."""
        self.unannounced = {each: _Absence() for each in self.wanted}
        self.look()

    def descriptors(self) -> list[int]:
        """Readable, or in error, when there is something to receive.

        Terminals are left out. While their channel goes away, poll(2) makes Linux ask a device that is gone for room
        (rpmsg_tty_write_room of drivers/tty/rpmsg_tty.c, up to 7.2), and the kernel kills the caller.
        """
        channels = [each.channel for each in self.followed.values()]
        return [each.descriptor for each in channels if each.descriptor is not None and not each.is_terminal]

    def look(self) -> bool:
        """Open what has appeared, and read the terminals. Whether there was something on these."""
        self._open_all()
        terminals = [each for each in self.followed.values() if each.is_open and each.channel.is_terminal]
        received = [self._receive(each) for each in terminals]
        return any(received)

    def _open_all(self) -> None:
        now = monotonic()
        complete = not self.unannounced and all(each.is_open for each in self.followed.values())
        if not complete or now < self.settled or now >= self.next_search:
            self.next_search = now + SEARCH_AGAIN_SECONDS
            self._search()
        for each in self.followed.values():
            if not each.is_open:
                self._open(each)
                continue
            try:
                each.channel.greet()
            except OSError:
                self._lose(each)

    def _search(self) -> None:
        found = announced(self.system, self.device, {name for name, _ in self.wanted})
        wanted = {_full_name(each.name, each.address): each for each in found if self._is_wanted(each)}
        for full_name, each in list(self.followed.items()):
            if not each.is_open and full_name not in wanted:
                del self.followed[full_name]
        for full_name, announcement in wanted.items():
            self._follow(full_name, announcement)
        names = [each.name for each in self.followed.values()]
        self.several.update(name for name in names if names.count(name) > 1)
        for word in self.wanted:
            self._note_absence(word, wanted.values())

    def _is_wanted(self, announcement: Announcement) -> bool:
        return any(_matches(word, announcement) for word in self.wanted)

    def _follow(self, full_name: str, announcement: Announcement) -> None:
        each = self.followed.get(full_name)
        if each is not None:
            each.channel.announcement = announcement
        elif len(self.followed) < MOST_CHANNELS:
            self.followed[full_name] = _Followed(self.system, announcement)
            # Others of its name may follow it.
            self.settled = monotonic() + ANNOUNCEMENT_SECONDS
        elif not self.left_out:
            self.left_out = True
            self._tell(full_name, f"and what comes after it is not followed, the most is {MOST_CHANNELS} channels")

    def _note_absence(self, word: "NamedChannel", found: "Iterable[Announcement]") -> None:
        if any(_matches(word, announcement) for announcement in found):
            self.unannounced.pop(word, None)
            return
        reason = "the firmware has not announced it"
        if self.unannounced.setdefault(word, _Absence()).is_news(reason):
            name, address = word
            label = name if address is None else _full_name(name, address)
            self._tell(label, f"is not there: {reason}; it is looked for again")

    def _open(self, each: _Followed) -> None:
        try:
            each.channel.open()
        except Unavailable as reason:
            if each.absence.is_news(str(reason)):
                self._tell(self._label(each), f"is not there: {reason}; it is looked for again")
            return
        each.absence.told = ""
        self._tell(self._label(each), f"is `{each.channel.path}`, address {each.channel.announcement.address:#x}")

    def _label(self, each: _Followed) -> str:
        """Its name, with its address where that is no matter of course."""
        by_name = (each.name, None) in self.wanted and each.name not in self.several
        return each.name if by_name else each.full_name

    def receive_from(self, descriptor: int) -> None:
        """What has come on that one goes to the output."""
        for each in list(self.followed.values()):
            if each.channel.descriptor == descriptor:
                self._receive(each)

    def _receive(self, each: _Followed) -> bool:
        """As much as is its share of a turn. Whether there was something."""
        opened = sum(other.is_open for other in self.followed.values())
        text = each.channel.read(_MOST_AT_ONCE // opened)
        self.output.firmware(text, each.full_name, f"[{each.full_name}] " * (each.name in self.several))
        if not each.is_open:
            self._lose(each)
        return bool(text)

    def _lose(self, each: _Followed) -> None:
        each.channel.close()
        each.absence = _Absence()
        self.output.end_line(each.full_name)
        self._tell(self._label(each), "is gone")

    def _tell(self, label: str, what: str) -> None:
        self.output.supervisor(f"hybrid-runtime: rpmsg channel `{label}` {as_named(what)}")

    def close(self) -> None:
        """The last words, and no more."""
        for each in self.followed.values():
            if each.is_open:
                self._receive(each)
        for each in self.followed.values():
            each.channel.close()


def _full_name(name: str, address: int) -> str:
    """As an annotation may name it, the address as the kernel writes it."""
    return f"{name}@{address:#x}"


def _matches(word: "NamedChannel", announcement: Announcement) -> bool:
    name, address = word
    return announcement.name == name and address in (None, announcement.address)
