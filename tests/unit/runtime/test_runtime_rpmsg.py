"""RPMsg channels over plain files: a pseudo terminal plays rpmsg_tty, a FIFO the file of messages of rpmsg_char."""

import errno
import os
import posix
import pty
import termios
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest
from remoteproc_double import ProcessorDouble, RemoteprocDouble, link

from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line
from hybrid_runtime.machine import Machine
from hybrid_runtime.processor.rpmsg import GREETING, Channel, Unavailable
from hybrid_runtime.supervisor import channels as channels_module
from hybrid_runtime.supervisor.channels import Channels
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.output import Output

NOT_ANNOUNCED = "the firmware has not announced it; it is looked for again"


class Bus:
    """The folders and files that the kernel makes for a processor's channels."""

    def __init__(self, double: RemoteprocDouble) -> None:
        self.sysroot = double.sysroot
        self.dev = double.sysroot / "dev"
        self.dev.mkdir()
        self.masters: list[int] = []

    def announce(self, core: ProcessorDouble, name: str, address: int = 1025) -> Path:
        folder = core.folder / "rproc-virtio.1.auto/virtio3" / f"virtio3.{name}.-1.{address}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "dst").write_text(f"{address}\n")
        return folder

    def bind(self, folder: Path, kind: str, file: str, target: Path | str) -> None:
        (folder / "driver").mkdir()
        (folder / kind / file).mkdir(parents=True)
        link(self.dev / file, Path(target))

    def terminal(self, core: ProcessorDouble, name: str, file: str = "ttyRPMSG0") -> int:
        """The core's end."""
        master, slave = pty.openpty()
        self.masters.append(master)
        self.bind(self.announce(core, name), "tty", file, os.ttyname(slave))
        os.close(slave)
        return master

    def messages(self, core: ProcessorDouble, name: str, file: str = "rpmsg0") -> Path:
        fifo = self.sysroot / f"fifo-{file}"
        os.mkfifo(fifo)
        self.bind(self.announce(core, name), "rpmsg", file, fifo)
        return fifo

    def close(self) -> None:
        for master in self.masters:
            try:
                os.close(master)
            except OSError:
                continue


@pytest.fixture
def bus(double: RemoteprocDouble) -> Iterator[Bus]:
    bus = Bus(double)
    yield bus
    bus.close()


def channel_of(double: RemoteprocDouble, core: ProcessorDouble, name: str) -> Channel:
    return Channel(Machine(str(double.sysroot)), core.device, name)


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
    assert channel.read() == b""
    channel.greet()
    assert not select([master], [], [], 0.05)[0], "one greeting, and nothing of what the core said comes back to it"
    os.close(master)
    assert channel.read() == b""
    assert channel.descriptor is None


def arrived_text(channel: Channel) -> bytes:
    assert channel.descriptor is not None
    assert select([channel.descriptor], [], [], 5)[0]
    return channel.read()


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
    assert (channel.descriptor, channel.read()) == (None, b"")


def test_only_the_processor_s_own_channels(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    other = double.add("core1")
    bus.terminal(other, "log", "ttyRPMSG7")
    channel = channel_of(double, core, "log")
    with pytest.raises(Unavailable, match="has not announced it"):
        channel.open()
    # A link to the other processor is no way to its channels, and another name is another channel.
    (core.folder / "neighbour").symlink_to(other.folder)
    bus.terminal(core, "log2", "ttyRPMSG8")
    with pytest.raises(Unavailable, match="has not announced it"):
        channel.open()
    bus.terminal(core, "log", "ttyRPMSG9")
    channel.open()
    assert channel.path.endswith("/ttyRPMSG9")
    channel.close()


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

    monkeypatch.setattr(termios, "tcsetattr", hung_up)
    with pytest.raises(Unavailable, match="input/output error"):
        channel.open()
    assert channel.descriptor is None


class Followed:
    """Channels whose output goes to a log."""

    def __init__(self, double: RemoteprocDouble, core: ProcessorDouble, *names: str) -> None:
        self.log = str(double.sysroot / "log")
        self.null = os.open("/dev/null", os.O_WRONLY)
        self.output = Output(ContainerLog(self.log))
        self.output.streams = {"stdout": EngineStream(self.null), "stderr": EngineStream(self.null)}
        self.channels = Channels(Machine(str(double.sysroot)), core.device, list(names), self.output)

    def lines(self, stream: str) -> list[str]:
        self.output.flush()
        lines = map(parse_line, LogReader(self.log).new_lines())
        return [line.text for line in lines if line and line.stream == stream]

    def wait_and_receive(self) -> None:
        assert select(self.channels.descriptors(), [], [], 5)[0]
        self.channels.receive()

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
    os.close(first)
    followed.wait_and_receive()
    assert followed.channels.descriptors() == []
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
        f"is `{bus.dev}/ttyRPMSG0`",
        "is gone",
        f"is `{bus.dev}/ttyRPMSG1`",
    ]
    followed.close()


def test_a_late_channel_is_not_complained_of(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    followed = Followed(double, core, "a")
    followed.channels.begin()
    assert followed.lines("stderr") == []
    bus.terminal(core, "a")
    followed.channels.look()
    assert followed.lines("stderr") == [f"hybrid-runtime: rpmsg channel `a` is `{bus.dev}/ttyRPMSG0`"]
    followed.close()


def test_lines_of_two_channels_do_not_mix(double: RemoteprocDouble, core: ProcessorDouble, bus: Bus) -> None:
    followed = Followed(double, core, "a", "b")
    ends = {name: bus.terminal(core, name, f"ttyRPMSG{name}") for name in "ab"}
    followed.channels.begin()
    for text in (b"one ", b"line\nand "):
        for end in ends.values():
            os.write(end, text)
        for each in followed.channels.followed:
            assert each.channel.descriptor is not None
            assert select([each.channel.descriptor], [], [], 5)[0]
        followed.channels.receive()
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
        f"is `{path}`",
    ]
    followed.close()
