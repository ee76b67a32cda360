"""Where firmware of a processor may be loaded to, in the addresses of its core, as far as the kernel shows it.

Each driver has its own rules. docs/drivers.md has them in words.
"""

import re

from hybrid_runtime.processor.devicetree import Node, node_of, reserved_regions
from hybrid_runtime.processor.remoteproc import ProcessorGone, Remoteproc
from hybrid_runtime.system.system_paths import SystemPaths

# What a driver uses for messages: no segment belongs there.
_FOR_MESSAGES = ("vdev", "rsc-table", "rsc_table")
# Own memories of the cores that imx_rproc.c has tables for (ATT_OWN), and what it maps one to one, by compatible.
_IMX8MN = (
    ("itcm", 0x0, 0x20000),
    ("ocram", 0x900000, 0x60000),
    ("dtcm", 0x20000000, 0x20000),
)
_IMX8MQ = (
    ("tcm", 0x1FFE0000, 0x40000),
    ("ocram", 0x900000, 0x40000),
)
_IMX93 = (
    ("tcm code", 0x0FFC0000, 0x40000),
    ("tcm system", 0x20000000, 0x40000),
)
_IMX_MEMORIES = {
    "fsl,imx8mn-cm7": _IMX8MN,
    "fsl,imx8mp-cm7": _IMX8MN,
    "fsl,imx8mn-cm7-mmio": _IMX8MN,
    "fsl,imx8mp-cm7-mmio": _IMX8MN,
    "fsl,imx8mq-cm4": _IMX8MQ,
    "fsl,imx8mm-cm4": _IMX8MQ,
    "fsl,imx93-cm33": _IMX93,
}
# remoteproc_elf_loader.c, of a segment that is nowhere.
_BAD_SEGMENT = re.compile(r"bad phdr da (0x[0-9a-f]+) mem (0x[0-9a-f]+)")


class Region:
    """A range of the core's addresses. `origin` says what tells of it."""

    def __init__(self, name: str, start: int, size: int, origin: str) -> None:
        self.name = name
        self.start = start
        self.size = size
        self.origin = origin

    @property
    def end(self) -> int:
        """The last address."""
        return self.start + self.size - 1

    def __str__(self) -> str:
        return f"{self.name} {self.start:#x} to {self.end:#x}"


def regions(system: SystemPaths, remoteproc: Remoteproc) -> list[Region]:
    """In the order of their addresses; empty where nothing tells. Raises ProcessorGone."""
    node = node_of(remoteproc.resolved_path)
    found = _carveouts(system, remoteproc.device)
    if node is not None:
        found += _own_memories(node) + _reserved(system, node)
    known: dict[tuple[int, int], Region] = {}
    for region in found:
        if region.size and not region.name.startswith(_FOR_MESSAGES):
            known.setdefault((region.start, region.size), region)
    return [known[place] for place in sorted(known)]


def _own_memories(node: Node) -> list[Region]:
    """Banks of the core's own node, or those of the driver's table."""
    for compatible in node.strings("compatible"):
        if compatible in _IMX_MEMORIES:
            return [Region(name, start, size, "driver") for name, start, size in _IMX_MEMORIES[compatible]]
    names = node.strings("reg-names")
    if not names:
        # Without names these are registers, or what reserved memory says as well.
        return []
    return [Region(name, start, size, "reg") for name, (start, size) in zip(names, node.ranges(), strict=False)]


def _reserved(system: SystemPaths, node: Node) -> list[Region]:
    return [
        Region(child.name, _own(node, start), size, "memory-region")
        for child in reserved_regions(system, node)
        for start, size in child.ranges()
    ]


def _own(node: Node, address: int) -> int:
    """An address of the bus as the core has it: by `dma-ranges` of its bus, in cells as stm32_rproc.c reads them."""
    cells = node.parent.cells("dma-ranges") if "st,stm32mp1-m4" in node.strings("compatible") else []
    for index in range(0, len(cells) - 2, 3):
        own, bus, size = cells[index : index + 3]
        if bus <= address < bus + size:
            return own + address - bus
    return address


def _carveouts(system: SystemPaths, device: str) -> list[Region]:
    """What debugfs shows of a processor that has been started (rproc_carveouts_show)."""
    try:
        with open(f"{system.trace_folder(device)}/carveout_memories", encoding="utf-8", errors="replace") as source:
            text = source.read(1 << 16)
    except OSError:
        return []
    pattern = r"Name: (\S+)\n.*\n.*\n\s*Device address: (0x[0-9a-f]+)\n\s*Length: (0x[0-9a-f]+) Bytes"
    return [Region(name, int(start, 16), int(size, 16), "carveout") for name, start, size in re.findall(pattern, text)]


def explained(system: SystemPaths, device: str, lines: list[str]) -> str:
    """Why the kernel has found no place for a segment, "" where its lines speak of none or nothing is known."""
    told = next((match for line in lines if (match := _BAD_SEGMENT.search(line))), None)
    if told is None:
        return ""
    try:
        places = regions(system, Remoteproc(system, device))
    except (ProcessorGone, OSError):
        return ""
    return misplaced(int(told[1], 16), int(told[2], 16), places)


def misplaced(start: int, size: int, places: list[Region]) -> str:
    """Of a segment that is in none of the places."""
    if not places:
        return ""
    end = start + max(size, 1) - 1
    segment = f"the segment {start:#x} to {end:#x}"
    around = next((place for place in places if place.start <= start <= place.end), None)
    beyond = next((place for place in places if place.start <= end <= place.end), None)
    if around is not None:
        return f"{segment} crosses from {around} into {beyond or 'nothing'}"
    return f"{segment} is outside of the core's memory: {', '.join(map(str, places))}"
