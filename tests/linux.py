"""Linux on the board, looked at past the runtime: what sysfs and the file system say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.shell import Shell

WaitForStatus = Callable[..., dict[str, Any]]
WaitForLog = Callable[..., list[str]]
AllIsWell = Callable[[], None]
Alive = Callable[..., BuiltFirmware]

# Of the firmware `echo`.
ECHO_CHANNELS = 2


# The shell's own words only: a process more costs what a line of a test does.
_DEVICES = """
for p in /sys/class/remoteproc/remoteproc*; do
  if [ -e "$p/name" ]; then read -r name <"$p/name"; echo "$name ${p##*/}"; fi
done
"""
_LEAVINGS = """
for d in /run/hybrid-runtime/*/; do [ -d "$d" ] && echo "container $d"; done
for f in /run/hybrid-runtime-claims/*.journal*; do [ -e "$f" ] && echo "journal $f"; done
for f in /lib/firmware/* /lib/firmware/.[!.]*; do [ -e "$f" ] && echo "firmware $f"; done
for p in /sys/class/remoteproc/remoteproc*; do
  [ -e "$p/state" ] || continue
  read -r name <"$p/name"; read -r state <"$p/state"
  [ "$state" = offline ] || echo "processor $name is $state"
done
true
"""


class Linux:
    """One board; processors are given by name."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        lines = [line.split() for line in shell.run(_DEVICES).stdout.splitlines()]
        self.devices: dict[str, str] = dict(lines)

    def attribute(self, processor: str, name: str) -> str:
        path = f"/sys/class/remoteproc/{self.devices[processor]}/{name}"
        return self.shell.run(["cat", path]).stdout.strip()

    def write(self, processor: str, name: str, word: str) -> None:
        self.shell.run(f"echo {word} > /sys/class/remoteproc/{self.devices[processor]}/{name}")

    def rpmsg_devices(self, processor: str) -> list[str]:
        """The device files of its channels. While the core runs they are waited for: the core names its channels
        after the start."""
        find = f"find /sys/class/remoteproc/{self.devices[processor]}/ -type d"
        deadline = Deadline(5.0)
        while True:
            running = self.attribute(processor, "state") == "running"
            found = self.shell.run(f"{find} '(' -name 'ttyRPMSG*' -o -name 'rpmsg[0-9]*' ')'").stdout.split()
            if not running or len(found) == ECHO_CHANNELS or deadline.expired:
                return [f"/dev/{path.rpartition('/')[2]}" for path in found]

    @contextmanager
    def without(self, device_file: str) -> Iterator[None]:
        """The machine has no /dev/NAME meanwhile."""
        self.shell.run(["mv", f"/dev/{device_file}", f"/dev/hidden-{device_file}"])
        try:
            yield
        finally:
            self.shell.run(["mv", f"/dev/hidden-{device_file}", f"/dev/{device_file}"])

    def installed_firmware(self) -> list[str]:
        return self.shell.run(["ls", "-A", "/lib/firmware"]).stdout.split()

    def journals(self) -> list[str]:
        return self.shell.run("ls /run/hybrid-runtime-claims/*.journal 2>/dev/null || true").stdout.split()

    def containers(self) -> list[str]:
        find = "find /run/hybrid-runtime -mindepth 1 -maxdepth 1 -type d 2>/dev/null || true"
        return [path.rpartition("/")[2] for path in self.shell.run(find).stdout.split()]

    def assert_untouched(self) -> None:
        """No container, no claim, no firmware file, every core offline."""
        assert self.shell.run(_LEAVINGS).stdout.splitlines() == []
