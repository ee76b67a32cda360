"""A double of the devicetree below a sysroot: folders and files as the kernel shows them."""

from pathlib import Path

from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble, link


def cells(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


class Devicetree:
    def __init__(self, double: RemoteprocDouble, core: ProcessorDouble) -> None:
        self.base = double.sysroot / "sys/firmware/devicetree/base"
        self.device = core.folder.parents[1]

    def node(self, path: str, **properties: bytes) -> Path:
        """Made if need be. An underscore in the name of a property stands for a dash."""
        folder = self.base / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in properties.items():
            (folder / name.replace("_", "-")).write_bytes(value)
        return folder

    def is_of_device(self, path: str) -> None:
        link(self.device / "of_node", self.base / path)
