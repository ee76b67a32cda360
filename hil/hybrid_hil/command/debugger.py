"""What a person types to look into a board with gdb: QEMU's stub shows each cluster as a process of its own."""

import shlex
from pathlib import Path

from hybrid_hil.board.layout import Layout
from hybrid_hil.device.firmware import firmware_file

# Debian's plain gdb knows the host's processor only.
GDB = "gdb-multiarch"
EXAMPLE = "hello"
# hw/arm/xlnx-versal.c makes the cluster of the A72s first, so they are process 1
CORES = 2


def attach_to_linux(socket: Path) -> list[str]:
    """gdb on the Cortex-A72s: the monitor at first, Linux later."""
    return _gdb(f"target extended-remote {socket}")


def attach_to_all(socket: Path, firmware: Path) -> list[str]:
    """gdb on the A72s as inferior 1 and the Cortex-R5Fs as inferior 2, which `firmware` gives its symbols; all run and
    stop together."""
    return _gdb(
        f"target extended-remote {socket}",
        "add-inferior",
        f"inferior {CORES}",
        f"file {firmware}",
        f"attach {CORES}",
        "set schedule-multiple on",
    )


def instructions(socket: Path, layout: Layout, platform: Path) -> str:
    """For a person, once QEMU listens on `socket`; `platform` is the image's."""
    firmware = firmware_file(layout.cores(platform)[0], EXAMPLE)
    return f"""\
every core is halted before its first instruction; in another terminal:
  Linux:               {shlex.join(attach_to_linux(socket))}
  with the R5 cores:   {shlex.join(attach_to_all(socket, firmware))}
then `continue`. Before that, for example:
  the monitor's symbols, in inferior 1: add-symbol-file {platform / "monitor.elf"}
  a stop when the firmware begins, in inferior 2: hbreak main
{GDB} is a package of Debian and Ubuntu; any gdb that knows arm and aarch64 will do"""


def _gdb(*commands: str) -> list[str]:
    return [GDB, *(word for command in commands for word in ("-ex", command))]
