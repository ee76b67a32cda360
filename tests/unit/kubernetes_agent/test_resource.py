"""Processors as resources, by pure functions; and the runtime's own words for processors."""

import json
from pathlib import Path

import pytest

from hybrid_kubernetes_agent.cdi import specification, write_specification
from hybrid_kubernetes_agent.processor import Processor, ProcessorsUnknownError, read_processors
from hybrid_kubernetes_agent.resource import Device, resources_of, with_missing


def core(device: str, name: str, kind: str = "r5f", obstacle: str = "") -> Processor:
    return Processor(device, name, kind, "offline", obstacle)


def test_each_kind_is_a_resource() -> None:
    found = resources_of([core("remoteproc0", "a"), core("remoteproc1", "m4", "m4"), core("remoteproc2", "b")], {})
    assert found == {"hybrid-runtime.io/r5f": [Device("a"), Device("b")], "hybrid-runtime.io/m4": [Device("m4")]}


@pytest.mark.parametrize(
    ("processors", "kinds", "found"),
    [
        ([core("remoteproc0", "a", "")], {}, {"hybrid-runtime.io/core": [Device("a")]}),
        ([core("remoteproc0", "a")], {"a": "motor"}, {"hybrid-runtime.io/motor": [Device("a")]}),
        ([core("remoteproc0", "a")], {"remoteproc0": "motor"}, {"hybrid-runtime.io/motor": [Device("a")]}),
        # imx_rproc calls all of its cores the same.
        (
            [core("remoteproc0", "imx-rproc"), core("remoteproc1", "imx-rproc")],
            {},
            {"hybrid-runtime.io/r5f": [Device("remoteproc0"), Device("remoteproc1")]},
        ),
        ([core("remoteproc0", "a b\n")], {}, {"hybrid-runtime.io/r5f": [Device("remoteproc0")]}),
        ([core("remoteproc0", "a", obstacle="read-only")], {}, {"hybrid-runtime.io/r5f": [Device("a", "read-only")]}),
        ([], {}, {}),
    ],
)
def test_names(processors: list[Processor], kinds: dict[str, str], found: dict[str, list[Device]]) -> None:
    assert resources_of(processors, kinds) == found


def test_what_has_gone_is_told_as_unhealthy() -> None:
    gone = Device("b", "the processor is gone")
    assert with_missing({"r": [Device("a")]}, {"r": [Device("a"), Device("b")]}) == {"r": [Device("a"), gone]}
    assert with_missing({}, {"r": [Device("b")]}) == {"r": [gone]}
    assert with_missing({"r": [Device("b")]}, {"r": [gone]}) == {"r": [Device("b")]}


def test_a_specification_is_written_when_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "cdi"
    write_specification(folder, "hybrid-runtime.io/r5f", [Device("b"), Device("a", "read-only")])
    (path,) = folder.iterdir()
    assert json.loads(path.read_text()) == specification("hybrid-runtime.io/r5f", [Device("a"), Device("b")])
    before = path.stat().st_ino
    write_specification(folder, "hybrid-runtime.io/r5f", [Device("a"), Device("b", "gone")])
    assert path.stat().st_ino == before
    write_specification(folder, "hybrid-runtime.io/r5f", [Device("a")])
    assert path.stat().st_ino != before
    assert [entry.name for entry in folder.iterdir()] == ["hybrid-runtime.io-r5f.json"]


def runtime(tmp_path: Path, script: str) -> list[str]:
    path = tmp_path / "runtime"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return [str(path)]


def test_what_the_runtime_tells(tmp_path: Path) -> None:
    entry = {"device": "remoteproc0", "name": "a", "kind": None, "state": "offline", "obstacle": None, "container": "x"}
    command = runtime(tmp_path, f"[ \"$*\" = 'processors --format json' ] && echo '{json.dumps([entry])}'")
    assert read_processors(command) == [Processor("remoteproc0", "a", "", "offline", "", "x")]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo no such thing >&2; exit 3", "ended with 3: no such thing"),
        ("echo [1]", "gives no processors"),
        ("echo {", "gives no processors"),
        ("echo '[{}]'", "gives no processors"),
    ],
)
def test_a_runtime_that_tells_nothing(tmp_path: Path, script: str, says: str) -> None:
    with pytest.raises(ProcessorsUnknownError, match=says):
        read_processors(runtime(tmp_path, script))
    with pytest.raises(ProcessorsUnknownError, match="gives no processors"):
        read_processors([str(tmp_path / "nowhere")])
