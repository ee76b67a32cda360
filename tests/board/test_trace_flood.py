"""A firmware with hundreds of trace buffers that prints as fast as it can. About 20 s."""

import struct

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.board.test_hanging_firmware import address_of, replaced
from tests.linux import AllIsWell, Linux

BUFFERS = 600
FLOOD_S = 8
PATIENCE_S = 30.0
LARGEST_RESIDENT_KIB = 16 * 1024
# A second is promised, and held by the unit tests; the rest is for an emulated processor on a busy host.
STOP_S = 5.0
# bx lr
RETURN = struct.pack("<I", 0xE12FFF1E)
RESOURCE_TRACE = 2
# In no core's memory, so that Linux does not write the table back to where the firmware has its own.
NOWHERE = 0xF0000000

STOP = """
kill -TERM {pid}
before=$(cut -d ' ' -f 1 /proc/uptime)
while [ -d /proc/{pid} ]; do usleep 10000; done
echo $before $(cut -d ' ' -f 1 /proc/uptime)
"""


def with_buffers(elf: bytes, count: int) -> bytes:
    """The same program with a resource table, behind its end, that names its trace buffer so often."""
    table_at = struct.unpack_from("<I", elf, 32)[0]
    size, sections, names_index = struct.unpack_from("<3H", elf, 46)
    headers = [list(struct.unpack_from("<10I", elf, table_at + number * size)) for number in range(sections)]
    names_at = headers[names_index][4]
    number = next(
        number for number, header in enumerate(headers) if elf[names_at + header[0] :].startswith(b".resource_table\0")
    )
    entry_at = headers[number][4] + struct.unpack_from("<I", elf, headers[number][4] + 16)[0]
    kind, address, length = struct.unpack_from("<3I", elf, entry_at)
    assert kind == RESOURCE_TRACE
    entry = struct.pack("<4I32s", kind, address, length, 0, b"flood")
    first = 16 + 4 * count
    table = struct.pack("<4I", 1, count, 0, 0)
    table += b"".join(struct.pack("<I", first + index * len(entry)) for index in range(count))
    table += entry * count
    headers[number][3:6] = NOWHERE, len(elf), len(table)
    place = table_at + number * size
    return elf[:place] + struct.pack("<10I", *headers[number]) + elf[place + 40 :] + table


def test_it_costs_a_bounded_amount_and_can_be_stopped(
    *,
    board: Board,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    all_is_well: AllIsWell,
) -> None:
    chatty = firmware("chatty")
    elf = shell.get(chatty.path_on_board)
    elf = replaced(elf, address_of("delay_until_ms", board, chatty.core, chatty.name), RETURN)
    shell.put(with_buffers(elf, BUFFERS), chatty.path_on_board)
    runtime.create("flood", chatty)
    runtime.start("flood")
    pid = runtime.state("flood")["pid"]
    shell.run(f"sleep {FLOOD_S}", deadline=Deadline(PATIENCE_S))
    # Not with `logs`: printing half a megabyte takes an emulated processor longer than the flood.
    marks = shell.run("cat /run/hybrid-runtime/flood/log* | cut -d ' ' -f 2,4 | sort -u | grep ^stdout").stdout
    assert set(marks.split()) == {"stdout", *(f"[trace{number}]" for number in range(16))}
    status = shell.run(f"grep VmHWM /proc/{pid}/status; cut -d ' ' -f 14,15 /proc/{pid}/stat").stdout.split()
    assert int(status[1]) <= LARGEST_RESIDENT_KIB
    before, after = map(float, shell.run(STOP.format(pid=pid), deadline=Deadline(PATIENCE_S)).stdout.split())
    print(f"{status[1]} KiB, {int(status[3]) + int(status[4])} ticks, {after - before:.2f} s to the stop")
    assert after - before <= STOP_S
    assert linux.attribute(chatty.processor, "state") == "offline"
    assert runtime.state("flood")["annotations"]["remoteproc.exit-code"] == "0"
    runtime.delete("flood")
    all_is_well()
