"""The folders of the rig are layers: a module imports from layers below its own, and from its own folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import hybrid_hil

PACKAGE = Path(hybrid_hil.__file__).parent


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
# Modules in no folder are the ground, which everything may use, but for these: they gather everything.
ENTRANCES = {"cli", "plugin", "__main__"}
# The ways of making an image are in folders of their own, and use the other modules of image/. These choose among them.
IMAGE_ENTRANCE = {"image", "image.assembly", "image.choice"}
# The lowest first. Rooms of one line do not know each other.
LAYERS = (
    ("",),
    ("console", "host", "shell"),
    ("image", "report"),
    ("image/buildroot", "image/debian"),
    ("image/entrance",),
    ("board",),
    ("device",),
    ("nightly", "suite"),
    ("bringup",),
    ("bringup/checks",),
    ("command",),
    ("cli", "plugin"),
    ("__main__",),
)
GROUND = {"", "board_health", "deadline", "failure", "terminal", "usage"}


def room_of(module: str) -> str:
    """The folder of a module of ours; the ground's is empty."""
    inner = module.partition(".")[2]
    if inner in IMAGE_ENTRANCE:
        return "image/entrance"
    folder = MODULES[module].parent.relative_to(PACKAGE)
    if folder != Path():
        return str(folder)
    return inner if inner in ENTRANCES else ""


def layer(room: str) -> int:
    return next(index for index, rooms in enumerate(LAYERS) if room in rooms)


def imported(source: str) -> Iterator[str]:
    """The modules of ours that `source` imports, at whatever depth; a name of a package is the package's."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else str(node.module) for name in names if node.module in MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_no_import_runs_upwards(module: str) -> None:
    """Nor to another room of the same layer."""
    room = room_of(module)
    for other in imported(MODULES[module].read_text(encoding="utf-8")):
        if room_of(other) != room:
            assert layer(room_of(other)) < layer(room), other


def test_every_room_has_its_layer() -> None:
    assert {room for rooms in LAYERS for room in rooms} == {room_of(module) for module in MODULES}


def test_only_the_ground_is_in_no_folder() -> None:
    """A module that only some need is in their folder."""
    loose = {module.partition(".")[2] for module, path in MODULES.items() if path.parent == PACKAGE}
    assert loose == GROUND | ENTRANCES


def test_scan_finds_what_it_looks_for() -> None:
    source = "import hybrid_hil.host.cache\ndef late():\n    from hybrid_hil.image import Image, lifeline\n"
    assert list(imported(source)) == ["hybrid_hil.host.cache", "hybrid_hil.image", "hybrid_hil.image.lifeline"]
    assert layer("device") < layer("command")
