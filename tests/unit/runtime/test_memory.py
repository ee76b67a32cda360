"""Where firmware may be loaded to, as devicetree and debugfs tell. The files are doubles of the kernel's."""

import json

import pytest

from hybrid_runtime.processor.memory import Region, explained, misplaced, regions
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.devicetree_double import Devicetree, cells
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

ATCM, BTCM = Region("atcm0", 0x10000, 0x10000, "reg"), Region("btcm0", 0x20000, 0x10000, "reg")
CARVEOUTS = """Carveout memory entry:
\tName: vdev0vring0
\tVirtual address: 00000000deadbeef
\tDMA address: 0x000000003ed40000
\tDevice address: 0x3ed40000
\tLength: 0x4000 Bytes

Carveout memory entry:
\tName: image
\tVirtual address: 00000000deadbeef
\tDMA address: 0x000000003ed00000
\tDevice address: 0x3ed00000
\tLength: 0x40000 Bytes

"""


@pytest.fixture
def devicetree(double: RemoteprocDouble, core: ProcessorDouble) -> Devicetree:
    return Devicetree(double, core)


def found(double: RemoteprocDouble, core: ProcessorDouble) -> list[tuple[str, int, int, str]]:
    system = SystemPaths(str(double.sysroot))
    each = regions(system, Remoteproc(system, core.device))
    return [(region.name, region.start, region.size, region.origin) for region in each]


def bus(devicetree: Devicetree, path: str, address: int, size: int, **properties: bytes) -> None:
    folder = devicetree.node(path, **properties)
    (folder / "#address-cells").write_bytes(cells(address))
    (folder / "#size-cells").write_bytes(cells(size))


def test_banks_and_reserved_memory(double: RemoteprocDouble, core: ProcessorDouble, devicetree: Devicetree) -> None:
    bus(devicetree, "cluster", 2, 2)
    devicetree.node(
        "cluster/r5f@10000",
        reg=cells(0, 0x20000, 0, 0x10000, 0, 0x10000, 0, 0x10000),
        reg_names=b"btcm0\0atcm0\0",
        memory_region=cells(7, 8),
    )
    bus(devicetree, "reserved-memory", 2, 2)
    devicetree.node("reserved-memory/image@3ed00000", reg=cells(0, 0x3ED00000, 0, 0x40000), phandle=cells(7))
    devicetree.node("reserved-memory/vdev0vring0@3ed40000", reg=cells(0, 0x3ED40000, 0, 0x4000), phandle=cells(8))
    devicetree.node("reserved-memory/another@1000", reg=cells(0, 0x1000, 0, 0x1000), phandle=cells(9))
    devicetree.is_of_device("cluster/r5f@10000")
    assert found(double, core) == [
        ("atcm0", 0x10000, 0x10000, "reg"),
        ("btcm0", 0x20000, 0x10000, "reg"),
        ("image", 0x3ED00000, 0x40000, "memory-region"),
    ]


def test_a_window_of_the_bus(double: RemoteprocDouble, core: ProcessorDouble, devicetree: Devicetree) -> None:
    """As an STM32MP1 has it: the core's retention RAM is at 0, and elsewhere for Linux."""
    bus(devicetree, "ahb", 1, 1, dma_ranges=cells(0, 0x38000000, 0x10000, 0x10000000, 0x10000000, 0x60000))
    devicetree.node("ahb/m4@10000000", compatible=b"st,stm32mp1-m4\0", memory_region=cells(1, 2))
    bus(devicetree, "reserved-memory", 1, 1)
    devicetree.node("reserved-memory/retram@38000000", reg=cells(0x38000000, 0x10000), phandle=cells(1))
    devicetree.node("reserved-memory/mcuram@10000000", reg=cells(0x10000000, 0x40000), phandle=cells(2))
    devicetree.is_of_device("ahb/m4@10000000")
    assert found(double, core) == [
        ("retram", 0, 0x10000, "memory-region"),
        ("mcuram", 0x10000000, 0x40000, "memory-region"),
    ]


def test_the_table_of_a_driver(double: RemoteprocDouble, core: ProcessorDouble, devicetree: Devicetree) -> None:
    devicetree.node("imx8mn-cm7", compatible=b"fsl,imx8mn-cm7\0")
    devicetree.is_of_device("imx8mn-cm7")
    assert [name for name, *_ in found(double, core)] == ["itcm", "ocram", "dtcm"]


def test_carveouts_of_a_core_that_was_started(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    (core.debug / "carveout_memories").write_text(CARVEOUTS)
    assert found(double, core) == [("image", 0x3ED00000, 0x40000, "carveout")]


@pytest.mark.parametrize("properties", [{"reg": b"\0\0"}, {"reg": cells(1, 2, 3), "reg_names": b"a\0b\0"}, {}])
def test_a_devicetree_that_says_nothing_useful(
    double: RemoteprocDouble, core: ProcessorDouble, devicetree: Devicetree, properties: dict[str, bytes]
) -> None:
    bus(devicetree, "odd", 0, 0)
    devicetree.node("odd/core", **properties)
    devicetree.is_of_device("odd/core")
    assert found(double, core) == []


@pytest.mark.parametrize(
    ("start", "size", "told"),
    [
        (
            0x18000,
            0x10000,
            "the segment 0x18000 to 0x27fff crosses from atcm0 0x10000 to 0x1ffff into btcm0 0x20000 to 0x2ffff",
        ),
        (0x28000, 0x10000, "the segment 0x28000 to 0x37fff crosses from btcm0 0x20000 to 0x2ffff into nothing"),
        (
            0x90000000,
            0x6B8,
            "the segment 0x90000000 to 0x900006b7 is outside of the core's memory: "
            "atcm0 0x10000 to 0x1ffff, btcm0 0x20000 to 0x2ffff",
        ),
    ],
)
def test_a_segment_in_the_wrong_place(start: int, size: int, told: str) -> None:
    assert misplaced(start, size, [ATCM, BTCM]) == told
    assert misplaced(start, size, []) == ""


def test_what_the_kernel_says_is_explained(
    double: RemoteprocDouble, core: ProcessorDouble, devicetree: Devicetree
) -> None:
    system = SystemPaths(str(double.sysroot))
    devicetree.node("imx8mn-cm7", compatible=b"fsl,imx8mn-cm7\0")
    devicetree.is_of_device("imx8mn-cm7")
    lines = ["remoteproc remoteproc0: powering up core0", "remoteproc remoteproc0: bad phdr da 0x8ffff0 mem 0x20"]
    assert explained(system, core.device, lines).startswith("the segment 0x8ffff0 to 0x90000f is outside of the core")
    assert explained(system, core.device, lines[:1]) == ""
    assert explained(system, "remoteproc9", lines) == ""


def test_the_verb(command: Command, double: RemoteprocDouble, devicetree: Devicetree) -> None:
    double.add("core1")
    devicetree.node("imx8mn-cm7", compatible=b"fsl,imx8mn-cm7\0")
    devicetree.is_of_device("imx8mn-cm7")
    lines = command.run("processors", "--memory").stdout.splitlines()
    assert lines[0].split() == ["DEVICE", "NAME", "MEMORY", "FROM", "TO", "SIZE", "ORIGIN"]
    assert lines[1].split() == ["remoteproc0", "core0", "itcm", "0x00000000", "0x0001ffff", "131072", "driver"]
    assert lines[-1].split() == ["remoteproc1", "core1", "-", "-", "-", "-", "-"]

    first, second = json.loads(command.run("processors", "--memory", "-f", "json").stdout)
    assert first["memory"][0] == {"name": "itcm", "start": 0, "size": 131072, "origin": "driver"}
    assert second["memory"] == []
    assert "memory" not in json.loads(command.run("processors", "-f", "json").stdout)[0]
