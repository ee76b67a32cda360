"""The board that this is, by its devicetree and its processors: what marks of firmware are compared with."""

from hybrid_runtime.processor.remoteproc import processors
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.text import listing, quote


class Board:
    """`model` and `compatible` as the devicetree has them (its specification, 2.3.1 and 2.3.2); `processors` are pairs
    of name and device."""

    def __init__(self, model: str, compatible: list[str], processors: list[tuple[str, str]]) -> None:
        self.model = model
        self.compatible = compatible
        self.processors = processors

    def is_called(self, board: str) -> bool:
        return board == self.model or board in self.compatible

    def __str__(self) -> str:
        if not self.model and not self.compatible:
            text = "this machine has no devicetree that names a board"
        else:
            text = f"this board is {quote(self.model)}, compatible {listing([quote(name) for name in self.compatible])}"
        names = listing([quote(name) for name, _ in self.processors])
        return f"{text}, with the processors {names}" if names else f"{text}, without processors"


def this_board(system: SystemPaths) -> Board:
    model, compatible = _strings(system, "model"), compatible_names(system)
    present = [(remoteproc.read_or("name", ""), remoteproc.device) for remoteproc in processors(system)]
    return Board(model[0] if model else "", compatible, present)


def compatible_names(system: SystemPaths) -> list[str]:
    """Of the whole machine, the most specific first. Empty without a devicetree."""
    return _strings(system, "compatible")


def _strings(system: SystemPaths, name: str) -> list[str]:
    """A property that is a list of strings, each with a NUL at its end; empty where there is no devicetree."""
    try:
        with open(system.path(f"/proc/device-tree/{name}"), "rb") as source:
            data = source.read(4096)
    except OSError:
        return []
    return [text.decode("utf-8", "replace") for text in data.split(b"\0") if text]
