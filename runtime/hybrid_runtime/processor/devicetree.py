"""Nodes of the devicetree, as the kernel shows them below /sys/firmware/devicetree (Devicetree Specification 0.4)."""

import os

from hybrid_runtime.system.system_paths import SystemPaths

# 2.3.5: of a node that does not say.
_ADDRESS_CELLS, _SIZE_CELLS = 2, 1
# More than any devicetree has in one property. What is behind it is not read.
_MOST_BYTES = 1 << 16


class Node:
    """A folder with a file for each property, and a folder for each child."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Without its unit address."""
        return self.path.rpartition("/")[2].partition("@")[0]

    @property
    def parent(self) -> "Node":
        return Node(self.path.rpartition("/")[0])

    def children(self) -> "list[Node]":
        """In the order of their names."""
        try:
            names = sorted(os.listdir(self.path))
        except OSError:
            return []
        return [Node(f"{self.path}/{name}") for name in names if os.path.isdir(f"{self.path}/{name}")]

    def value(self, name: str) -> bytes:
        """Of a property, empty where there is none."""
        try:
            with open(f"{self.path}/{name}", "rb") as source:
                return source.read(_MOST_BYTES)
        except OSError:
            return b""

    def cells(self, name: str) -> list[int]:
        """A property's numbers of 32 bits (2.2.4, <prop-encoded-array>)."""
        value = self.value(name)
        return [int.from_bytes(value[index : index + 4], "big") for index in range(0, len(value) - 3, 4)]

    def strings(self, name: str) -> list[str]:
        return self.value(name).decode("utf-8", "replace").split("\0")[:-1]

    def ranges(self) -> list[tuple[int, int]]:
        """Addresses and sizes of `reg`, in the addresses of the node's bus."""
        address = (self.parent.cells("#address-cells") or [_ADDRESS_CELLS])[0]
        size = (self.parent.cells("#size-cells") or [_SIZE_CELLS])[0]
        cells, width = self.cells("reg"), address + size
        if not width:
            return []
        rows = [cells[index : index + width] for index in range(0, len(cells) - width + 1, width)]
        return [(_joined(row[:address]), _joined(row[address:])) for row in rows]


def reserved_regions(system: SystemPaths, node: Node) -> list[Node]:
    """The reserved memory that the node's `memory-region` names, in the order of names."""
    wanted = node.cells("memory-region")
    children = Node(system.path("/sys/firmware/devicetree/base/reserved-memory")).children()
    return [child for child in children if any(handle in wanted for handle in child.cells("phandle"))]


def _joined(cells: list[int]) -> int:
    number = 0
    for cell in cells:
        number = number << 32 | cell
    return number


def node_of(device_folder: str) -> Node | None:
    """Of the device of that sysfs folder, or of the nearest one above that is in the devicetree."""
    folder = os.path.realpath(device_folder)
    while folder != "/":
        if os.path.isdir(f"{folder}/of_node"):
            return Node(os.path.realpath(f"{folder}/of_node"))
        folder = os.path.dirname(folder)
    return None
