"""RPMsg channels over plain files: a pseudo terminal plays rpmsg_tty, a FIFO the file of messages of rpmsg_char."""

import errno
import os
import posix
import pty
import termios
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import monotonic

import pytest

from hybrid_runtime.bundle.annotations import rpmsg_channels
from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line
from hybrid_runtime.processor.rpmsg import GREETING, Announcement, Channel, Unavailable, announced
from hybrid_runtime.supervisor import channels as channels_module
from hybrid_runtime.supervisor.channels import Channels
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble, link

LARGE = 65536
NOT_ANNOUNCED = "the firmware has not announced it; it is looked for again"


class Bus:
    """The folders and files that the kernel makes for a processor's channels."""

    def __init__(self, double: RemoteprocDouble) -> None:
        self.sysroot = double.sysroot
        self.dev = double.sysroot / "dev"
        self.dev.mkdir()
        self.masters: list[int] = []

    def announce(self, core: ProcessorDouble, name: str, address: int = 1025) -> Path:
        """As drivers/rpmsg/rpmsg_core.c shows it."""
        folder = core.folder / "rproc-virtio.1.auto/virtio3" / f"virtio3.{name}.-1.{address}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "src").write_text("0xffffffff\n")
        (folder / "dst").write_text(f"{address:#x}\n")
        return folder

    def bind(self, folder: Path, kind: str, file: str, target: Path | str) -> None:
        (folder / "driver").mkdir()
        (folder / kind / file).mkdir(parents=True)
        link(self.dev / file, Path(target))

    def terminal(self, core: ProcessorDouble, name: str, file: str = "ttyRPMSG0", address: int = 1025) -> int:
        """The core's end."""
        master, slave = pty.openpty()
        self.masters.append(master)
        self.bind(self.announce(core, name, address), "tty", file, os.ttyname(slave))
        os.close(slave)
        return master

    def messages(self, core: ProcessorDouble, name: str, file: str = "rpmsg0") -> Path:
        fifo = self.sysroot / f"fifo-{file}"
        os.mkfifo(fifo)
        self.bind(self.announce(core, name), "rpmsg", file, fifo)
        return fifo

    def hang_up(self, master: int) -> None:
        """A second close(2) would take what another thread has opened by then."""
        self.masters.remove(master)
        os.close(master)

    def close(self) -> None:
        for master in tuple(self.masters):
            self.hang_up(master)


@pytest.fixture
def bus(double: RemoteprocDouble) -> Iterator[Bus]:
    bus = Bus(double)
    yield bus
    bus.close()


def announcements(double: RemoteprocDouble, core: ProcessorDouble, *names: str) -> list[Announcement]:
    return announced(SystemPaths(str(double.sysroot)), core.device, set(names))


def channel_of(double: RemoteprocDouble, core: ProcessorDouble, name: str) -> Channel:
    [announcement] = announcements(double, core, name)
    return Channel(SystemPaths(str(double.sysroot)), announcement)


def arrived(descriptor: int) -> bytes:
    assert select([descriptor], [], [], 5)[0]
    return os.read(descriptor, 4096)


def test_a_terminal_is_raw_and_greeted(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    master = bus.terminal(core, "rpmsg-tty")
    channel = channel_of(double, core, "rpmsg-tty")
    channel.open()
    assert channel.path == str(bus.dev / "ttyRPMSG0")
    assert channel.descriptor is not None
    assert not os.get_inheritable(channel.descriptor)
    settings = termios.tcgetattr(channel.descriptor)
    assert not settings[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    assert arrived(master) == GREETING
    os.write(master, b"half a\r li")
    assert arrived_text(channel) == b"half a\r li"
    os.write(master, b"ne\n\x03\x04")
    assert arrived_text(channel) == b"ne\n\x03\x04"
    assert channel.read(LARGE) == b""
    channel.greet()
    assert not select([master], [], [], 0.05)[0], "one greeting, and nothing of what the core said comes back to it"
    bus.hang_up(master)
    assert channel.read(LARGE) == b""
    assert channel.descriptor is None


def arrived_text(channel: Channel) -> bytes:
    assert channel.descriptor is not None
    assert select([channel.descriptor], [], [], 5)[0]
    return channel.read(LARGE)


def test_a_message_is_a_line(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    fifo = bus.messages(core, "rpmsg-raw")
    channel = channel_of(double, core, "rpmsg-raw")
    channel.open()
    # A FIFO gives our own greeting back.
    assert arrived_text(channel) == GREETING
    with fifo.open("wb", buffering=0) as core_end:
        core_end.write(b"no end")
        assert arrived_text(channel) == b"no end\n"
        core_end.write(b"two\nlines\n")
        assert arrived_text(channel) == b"two\nlines\n"
    channel.close()
    assert (channel.descriptor, channel.read(LARGE)) == (None, b"")


def test_only_the_processor_s_own_channels(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    other = double.add("core1")
    bus.terminal(other, "log", "ttyRPMSG7")
    # A link to the other processor is no way to its channels, and another name is another channel.
    (core.folder / "neighbour").symlink_to(other.folder)
    bus.terminal(core, "log2", "ttyRPMSG8")
    assert announcements(double, core, "log") == []
    bus.terminal(core, "log", "ttyRPMSG9")
    channel = channel_of(double, core, "log")
    channel.open()
    assert channel.path.endswith("/ttyRPMSG9")
    channel.close()


def test_all_channels_of_a_name(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    for address in (0x40A, 0x402):
        bus.announce(core, "log", address)
    bus.announce(core, "b", 7)
    (bus.announce(core, "log", 9) / "dst").write_text("no address\n")
    (bus.announce(core, "log", 10) / "dst").unlink()
    found = announcements(double, core, "log", "b", "absent")
    assert [(each.name, each.address) for each in found] == [("b", 7), ("log", 0x402), ("log", 0x40A)]


def test_a_firmware_that_announces_too_much(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search looks at so many folders and at no more."""
    for address in range(1200):
        bus.announce(core, "log", address)
    opened: list[str] = []
    scandir = posix.scandir

    def noted(path: str) -> object:
        opened.append(path)
        return scandir(path)

    monkeypatch.setattr(posix, "scandir", noted)
    found = announcements(double, core, "log")
    assert 1000 < len(found) < 1024
    assert len(opened) <= 1025


def test_a_channel_without_driver_is_given_one(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    folder = bus.announce(core, "mine")
    driver = double.sysroot / "sys/bus/rpmsg/drivers/rpmsg_chrdev"
    channel = channel_of(double, core, "mine")
    with pytest.raises(Unavailable, match="no driver takes it"):
        channel.open()
    driver.mkdir(parents=True)
    (driver / "bind").touch()
    (folder / "driver_override").touch()
    with pytest.raises(Unavailable, match="gives no file to read"):
        channel.open()
    assert (folder / "driver_override").read_text() == "rpmsg_chrdev"
    assert (driver / "bind").read_text() == folder.name


def test_a_driver_of_another_kind_is_left_alone(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    folder = bus.announce(core, "sensor")
    (folder / "driver").mkdir()
    with pytest.raises(Unavailable, match="gives no file to read"):
        channel_of(double, core, "sensor").open()
    assert not (folder / "driver_override").exists()


def test_a_file_that_is_not_there(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    bus.terminal(core, "log")
    (bus.dev / "ttyRPMSG0").unlink()
    with pytest.raises(Unavailable, match=r"cannot open `.*ttyRPMSG0`: file not found"):
        channel_of(double, core, "log").open()


def test_a_file_that_takes_no_greeting_yet(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = bus.messages(core, "log")
    channel = channel_of(double, core, "log")

    def full(*_: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "full")

    with monkeypatch.context() as patch:
        patch.setattr(posix, "write", full)
        channel.open()
        assert not channel.greeted
    channel.greet()
    assert channel.greeted
    assert arrived_text(channel) == GREETING
    channel.close()
    assert fifo.exists()


def test_a_terminal_that_is_hung_up_while_it_is_opened(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.terminal(core, "log")
    channel = channel_of(double, core, "log")

    def hung_up(*_: object) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr("hybrid_runtime.processor.rpmsg.termios.tcsetattr", hung_up)
    with pytest.raises(Unavailable, match="input/output error"):
        channel.open()
    assert channel.descriptor is None


class Followed:
    """Channels whose output goes to a log."""

    def __init__(self, double: RemoteprocDouble, core: ProcessorDouble, *words: str) -> None:
        self.log = str(double.sysroot / "log")
        self.null = os.open("/dev/null", os.O_WRONLY)
        self.output = Output(ContainerLog(self.log))
        self.output.streams = {"stdout": EngineStream(self.null), "stderr": EngineStream(self.null)}
        wanted = rpmsg_channels({"remoteproc.logs": ",".join(f"rpmsg:{word}" for word in words)})
        self.channels = Channels(SystemPaths(str(double.sysroot)), core.device, wanted, self.output)

    def lines(self, stream: str) -> list[str]:
        self.output.flush()
        lines = map(parse_line, LogReader(self.log).new_lines())
        return [line.text for line in lines if line and line.stream == stream]

    def wait_and_receive(self) -> None:
        opened = [each.channel.descriptor for each in self.channels.followed.values()]
        assert select([descriptor for descriptor in opened if descriptor is not None], [], [], 5)[0]
        self.channels.look()
        for descriptor in self.channels.descriptors():
            self.channels.receive_from(descriptor)

    def close(self) -> None:
        self.channels.close()
        os.close(self.null)


def test_channels_come_and_go(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = Followed(double, core, "a", "b")
    monkeypatch.setattr(channels_module, "ANNOUNCEMENT_SECONDS", -1.0)
    followed.channels.begin()
    followed.channels.look()
    assert followed.lines("stderr") == [
        f"hybrid-runtime: rpmsg channel `{name}` is not there: {NOT_ANNOUNCED}" for name in "ab"
    ]
    first = bus.terminal(core, "a")
    followed.channels.look()
    os.write(first, b"from a, no end")
    followed.wait_and_receive()
    bus.hang_up(first)
    followed.wait_and_receive()
    assert not followed.channels.followed["a@0x401"].is_open
    (bus.dev / "ttyRPMSG0").unlink()
    for folder in core.folder.glob("rproc-virtio*/*/*.a.*"):
        folder.rename(core.folder / "forgotten")
    (core.folder / "forgotten/name").write_text("x")
    second = bus.terminal(core, "a", "ttyRPMSG1")
    followed.channels.look()
    os.write(second, b"once more\n")
    followed.wait_and_receive()
    assert followed.lines("stdout") == ["from a, no end", "once more"]
    assert [line.partition("`a` ")[2] for line in followed.lines("stderr") if "`a`" in line] == [
        f"is not there: {NOT_ANNOUNCED}",
        f"is `{bus.dev}/ttyRPMSG0`, address 0x401",
        "is gone",
        f"is `{bus.dev}/ttyRPMSG1`, address 0x401",
    ]
    followed.close()


def test_terminals_are_not_waited_for(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    """poll(2) on one whose channel goes away kills its caller, up to Linux 7.2 at least."""
    terminal = bus.terminal(core, "a")
    bus.messages(core, "b", "rpmsg1")
    followed = Followed(double, core, "a", "b")
    followed.channels.begin()
    opened = {name: each.channel.descriptor for name, each in followed.channels.followed.items()}
    assert followed.channels.descriptors() == [opened["b@0x401"]]
    assert not followed.channels.look()
    os.write(terminal, b"at the next look\n")
    assert followed.channels.look()
    assert followed.lines("stdout") == ["at the next look"]
    followed.close()


def test_a_late_channel_is_not_complained_of(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    followed = Followed(double, core, "a")
    followed.channels.begin()
    assert followed.lines("stderr") == []
    bus.terminal(core, "a")
    followed.channels.look()
    assert followed.lines("stderr") == [f"hybrid-runtime: rpmsg channel `a` is `{bus.dev}/ttyRPMSG0`, address 0x401"]
    followed.close()


def test_lines_of_two_channels_do_not_mix(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    followed = Followed(double, core, "a", "b")
    ends = {name: bus.terminal(core, name, f"ttyRPMSG{name}") for name in "ab"}
    followed.channels.begin()
    for text in (b"one ", b"line\nand "):
        for end in ends.values():
            os.write(end, text)
        for each in followed.channels.followed.values():
            assert each.channel.descriptor is not None
            assert select([each.channel.descriptor], [], [], 5)[0]
        assert followed.channels.look()
    followed.output.firmware(b"trace\n", "trace0")
    assert followed.lines("stdout") == ["one line", "one line", "trace"]
    followed.close()


def test_another_program_s_channel(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.messages(core, "a")
    followed = Followed(double, core, "a")
    monkeypatch.setattr(channels_module, "ANNOUNCEMENT_SECONDS", -1.0)
    opened = posix.open

    def busy(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith("/rpmsg0"):
            raise OSError(errno.EBUSY, "Device or resource busy")
        return opened(path, flags, mode)

    with monkeypatch.context() as patch:
        patch.setattr(posix, "open", busy)
        followed.channels.begin()
        followed.channels.look()
    followed.channels.look()
    path = f"{bus.dev}/rpmsg0"
    assert [line.partition("`a` ")[2] for line in followed.lines("stderr")] == [
        f"is not there: another program has `{path}` open; it is looked for again",
        f"is `{path}`, address 0x401",
    ]
    followed.close()


def test_two_channels_of_one_name_are_both_followed(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    """The second may be announced a moment after the first has been opened."""
    followed = Followed(double, core, "tty", "other")
    first = bus.terminal(core, "tty", "ttyRPMSG1", 0x401)
    other = bus.terminal(core, "other", "ttyRPMSG3", 0x403)
    followed.channels.begin()
    os.write(first, b"alone\n")
    followed.wait_and_receive()
    second = bus.terminal(core, "tty", "ttyRPMSG2", 0x400)
    followed.channels.look()
    assert len(followed.channels.followed) == 3
    for text in (b"half ", b"line\n"):
        for end in (first, second, other):
            os.write(end, text)
            followed.wait_and_receive()
    lines = ["alone", "[tty@0x401] half line", "[tty@0x400] half line", "half line"]
    assert followed.lines("stdout") == lines
    assert followed.lines("stderr") == [
        f"hybrid-runtime: rpmsg channel `other` is `{bus.dev}/ttyRPMSG3`, address 0x403",
        f"hybrid-runtime: rpmsg channel `tty` is `{bus.dev}/ttyRPMSG1`, address 0x401",
        f"hybrid-runtime: rpmsg channel `tty@0x400` is `{bus.dev}/ttyRPMSG2`, address 0x400",
    ]
    followed.close()


def test_an_address_names_one_of_them(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels_module, "ANNOUNCEMENT_SECONDS", -1.0)
    followed = Followed(double, core, "tty@1025", "tty@0x500")
    bus.terminal(core, "tty", "ttyRPMSG1", 0x400)
    named = bus.terminal(core, "tty", "ttyRPMSG2", 0x401)
    followed.channels.begin()
    os.write(named, b"named\n")
    followed.wait_and_receive()
    assert followed.lines("stdout") == ["named"]
    assert followed.lines("stderr") == [
        f"hybrid-runtime: rpmsg channel `tty@0x500` is not there: {NOT_ANNOUNCED}",
        f"hybrid-runtime: rpmsg channel `tty@0x401` is `{bus.dev}/ttyRPMSG2`, address 0x401",
    ]
    followed.close()


def test_so_many_channels_and_no_more(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    for number in range(20):
        bus.terminal(core, "tty", f"ttyRPMSG{number}", 0x400 + number)
    followed = Followed(double, core, "tty")
    followed.channels.begin()
    followed.channels.look()
    assert len(followed.channels.followed) == 16
    told = [line for line in followed.lines("stderr") if "not followed" in line]
    assert told == [
        "hybrid-runtime: rpmsg channel `tty@0x410` and what comes after it is not followed, the most is 16 channels"
    ]
    followed.close()


def test_quiet_channels_cost_no_search(
    double: RemoteprocDouble, core: ProcessorDouble, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.terminal(core, "tty")
    followed = Followed(double, core, "tty")
    followed.channels.begin()
    searches: list[str] = []

    def noted(system: SystemPaths, device: str, names: set[str]) -> list[Announcement]:
        searches.append(device)
        return announced(system, device, names)

    monkeypatch.setattr(channels_module, "announced", noted)
    now = monotonic() + channels_module.ANNOUNCEMENT_SECONDS
    for seconds in (0.0, 0.2, 2.0, 4.0, 5.1, 5.3):
        monkeypatch.setattr(channels_module, "monotonic", lambda seconds=seconds: now + seconds)
        followed.channels.look()
    assert len(searches) == 1
    followed.close()


def test_a_talkative_channel_keeps_nobody_waiting(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    """One turn reads so much of all channels together."""
    ends = [bus.messages(core, name, f"rpmsg{name}") for name in "ab"]
    followed = Followed(double, core, "a", "b")
    followed.channels.begin()
    writers = [os.open(end, os.O_WRONLY | os.O_NONBLOCK) for end in ends]
    for writer in writers:
        for _ in range(15):
            os.write(writer, b"x" * 4095 + b"\n")
    for descriptor in followed.channels.descriptors():
        followed.channels.receive_from(descriptor)
    for each in followed.channels.followed.values():
        assert 32768 <= len(followed.output.sources[each.full_name].waiting) <= 32768 + 4096
    for writer in writers:
        os.close(writer)
    followed.close()
