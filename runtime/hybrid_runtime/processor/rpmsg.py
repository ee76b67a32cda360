"""The RPMsg channels of a processor, found by name and read as text.

The firmware announces its channels after the start, and may announce several of one name. Linux makes a device of each
below the processor's own folder in sysfs, and a driver makes a file for it: rpmsg_tty a terminal, rpmsg_char a file of
messages. Their numbers depend on what else runs, so the file is always looked for from the processor on.
"""

import errno
import posix as os
import termios

from hybrid_runtime.system.failure import errno_meaning
from hybrid_runtime.system.path import decoded, encoded, exists
from hybrid_runtime.system.system_paths import SystemPaths

# Most firmware learns the address to send to from the first message it gets.
GREETING = b"\n"
# Below the processor's folder: platform device, virtio device, channel; older kernels have one level less.
_DEEPEST = 4
# A firmware announces as many channels as it likes: so many folders are looked at.
_MOST_FOLDERS = 1024
_LARGEST_READ = 4096
_DRIVER = "/sys/bus/rpmsg/drivers/rpmsg_chrdev"


class Unavailable(Exception):
    """Why the channel cannot be read now."""


class Announcement:
    """A channel's folder in sysfs. `address` is the core's end, `dst` there (Documentation/ABI, sysfs-bus-rpmsg)."""

    def __init__(self, name: str, address: int, folder: str) -> None:
        self.name = name
        self.address = address
        self.folder = folder


def announced(system: SystemPaths, device: str, names: set[str]) -> list[Announcement]:
    """The channels of these names that the processor has now, by name and address."""
    found: list[Announcement] = []
    level = [f"{system.remoteproc_class}/{device}"]
    left = _MOST_FOLDERS
    for _ in range(_DEEPEST):
        level = [folder for above in level for folder in _folders(above)][:left]
        left -= len(level)
        found += [each for folder in level if (each := _announcement(folder)) is not None and each.name in names]
    return sorted(found, key=lambda each: (each.name, each.address))


def _announcement(folder: str) -> Announcement | None:
    destination = _read(f"{folder}/dst")
    try:
        return Announcement(_read(f"{folder}/name"), int(destination, 0), folder) if destination else None
    except ValueError:
        return None


def _folders(folder: str) -> list[str]:
    """Only real ones: sysfs's links lead everywhere."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


class Channel:
    """`descriptor` is readable when the core has sent something; None while the channel is not open."""

    def __init__(self, system: SystemPaths, announcement: Announcement) -> None:
        self.system = system
        self.announcement = announcement
        self.descriptor: int | None = None
        self.path = ""
        self.is_terminal = False
        self.greeted = False

    def open(self) -> None:
        """Raises Unavailable; to be tried again."""
        self.path = self.system.path(f"/dev/{self._file(self.announcement.folder)}")
        try:
            # O_NOCTTY: this session has no terminal, and the core's shall not become it.
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise Unavailable(f"another program has `{self.path}` open") from error
            raise Unavailable(f"cannot open `{self.path}`: {errno_meaning(error)}") from error
        self.greeted = False
        try:
            self.is_terminal = os.isatty(self.descriptor)
            if self.is_terminal:
                _make_raw(self.descriptor)
            self.greet()
        except OSError as error:
            self.close()
            raise Unavailable(f"cannot use `{self.path}`: {errno_meaning(error)}") from error

    def _file(self, folder: str) -> str:
        """The name of its file below /dev."""
        names = _files(folder)
        if not names and not exists(f"{folder}/driver"):
            # No driver knows this name: rpmsg_char takes any.
            try:
                _write(f"{folder}/driver_override", _DRIVER.rpartition("/")[2])
                _write(f"{self.system.path(_DRIVER)}/bind", folder.rpartition("/")[2])
            except OSError as error:
                raise Unavailable(f"no driver takes it: {errno_meaning(error)}") from error
            names = _files(folder)
        if not names:
            raise Unavailable("its driver gives no file to read")
        return names[0]

    def greet(self) -> None:
        """Unless it has been done. Raises OSError when the channel is gone."""
        if self.descriptor is None or self.greeted:
            return
        try:
            os.write(self.descriptor, GREETING)
        except BlockingIOError:
            # No buffer is free: at the next look.
            return
        self.greeted = True

    def read(self, most: int) -> bytes:
        """What the core has sent, not much more than `most` bytes. If the channel is gone, `descriptor` is None then.

        A message that does not end its line is a line all the same; on a terminal there are no messages, only text.
        """
        text = b""
        while self.descriptor is not None and len(text) < most:
            try:
                piece = os.read(self.descriptor, _LARGEST_READ)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                self.close()
            elif not self.is_terminal and not piece.endswith(b"\n"):
                piece += b"\n"
            text += piece
        return text

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _files(folder: str) -> list[str]:
    """Names of its terminals and of its files of messages."""
    names: list[str] = []
    for kind in ("tty", "rpmsg"):
        try:
            names += os.listdir(f"{folder}/{kind}")
        except OSError:
            continue
    return names


def _read(path: str) -> str:
    try:
        with open(path, "rb") as source:
            return decoded(source.read(256)).removesuffix("\n")
    except OSError:
        return ""


def _write(path: str, word: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, encoded(word))
    finally:
        os.close(descriptor)


def _make_raw(terminal: int) -> None:
    """Bytes as they are, nothing echoed: the core would take an echo for input. Raises OSError."""
    try:
        settings = termios.tcgetattr(terminal)
        settings[0] = settings[1] = settings[3] = 0
        settings[2] |= termios.CREAD | termios.CS8
        settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
        termios.tcsetattr(terminal, termios.TCSANOW, settings)
    except termios.error as error:
        # The module's own exception, with the same arguments: a core that stops hangs its terminal up.
        raise OSError(*error.args) from error
