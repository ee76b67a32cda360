"""Processors as resources, by pure functions; and the runtime's own words for processors."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_kubernetes_agent.cdi import specification, write_specification
from hybrid_kubernetes_agent.processor import Processor, ProcessorsUnknownError, read_processors
from hybrid_kubernetes_agent.resource import Device, Resources, resources_of, with_missing
from tests.unit.kubernetes_agent.conftest import POD


def core(device: str, name: str, kind: str = "r5f", obstacle: str = "") -> Processor:
    return Processor(device, name, kind, "offline", obstacle)


def device(name: str, obstacle: str = "") -> Device:
    return Device(name, core("remoteproc0", name), obstacle)


def told(resources: Resources) -> dict[str, list[tuple[str, str]]]:
    """Names and obstacles."""
    return {name: [(device.id, device.obstacle) for device in devices] for name, devices in resources.items()}


def test_each_kind_is_a_resource() -> None:
    found = resources_of([core("remoteproc0", "a"), core("remoteproc1", "m4", "m4"), core("remoteproc2", "b")], {})
    assert told(found) == {"hybrid-runtime.io/r5f": [("a", ""), ("b", "")], "hybrid-runtime.io/m4": [("m4", "")]}


@pytest.mark.parametrize(
    ("processors", "kinds", "found"),
    [
        ([core("remoteproc0", "a", "")], {}, {"core": [("a", "")]}),
        ([core("remoteproc0", "a")], {"a": "motor"}, {"motor": [("a", "")]}),
        ([core("remoteproc0", "a")], {"remoteproc0": "motor"}, {"motor": [("a", "")]}),
        # imx_rproc calls all of its cores the same.
        (
            [core("remoteproc0", "imx-rproc"), core("remoteproc1", "imx-rproc")],
            {},
            {"r5f": [("remoteproc0", ""), ("remoteproc1", "")]},
        ),
        ([core("remoteproc0", "a b\n")], {}, {"r5f": [("remoteproc0", "")]}),
        ([core("remoteproc0", "a", obstacle="read-only")], {}, {"r5f": [("a", "read-only")]}),
        # Of a pod, and by docker run.
        ([replace(core("remoteproc0", "a"), holder="1ec86f", pod=POD)], {}, {"r5f": [("a", "")]}),
        (
            [replace(core("remoteproc0", "a"), holder="1ec86f")],
            {},
            {"r5f": [("a", "container `1ec86f` holds it, which is of no pod")]},
        ),
        ([], {}, {}),
    ],
)
def test_names(processors: list[Processor], kinds: dict[str, str], found: dict[str, list[tuple[str, str]]]) -> None:
    assert told(resources_of(processors, kinds)) == {f"hybrid-runtime.io/{kind}": of for kind, of in found.items()}


def test_what_has_gone_is_told_as_unhealthy() -> None:
    gone = device("b", "the processor is gone")
    assert with_missing({"r": [device("a")]}, {"r": [device("a"), device("b")]}) == {"r": [device("a"), gone]}
    assert with_missing({}, {"r": [device("b")]}) == {"r": [gone]}
    assert with_missing({"r": [device("b")]}, {"r": [gone]}) == {"r": [device("b")]}


def test_a_specification_is_written_when_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "cdi"
    write_specification(folder, "hybrid-runtime.io/r5f", [device("b"), device("a", "read-only")])
    (path,) = folder.iterdir()
    assert json.loads(path.read_text()) == specification("hybrid-runtime.io/r5f", [device("a"), device("b")])
    before = path.stat().st_ino
    write_specification(folder, "hybrid-runtime.io/r5f", [device("a"), device("b", "gone")])
    assert path.stat().st_ino == before
    write_specification(folder, "hybrid-runtime.io/r5f", [device("a")])
    assert path.stat().st_ino != before
    assert [entry.name for entry in folder.iterdir()] == ["hybrid-runtime.io-r5f.json"]


def runtime(tmp_path: Path, script: str) -> list[str]:
    path = tmp_path / "runtime"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return [str(path)]


ENTRY: dict[str, object] = {
    "device": "remoteproc0",
    "name": "a",
    "kind": None,
    "state": "running",
    "obstacle": None,
    "container": "x",
    "driver": "r5",
    "board": "xlnx,versal-virt",
    "soc": None,
    "starts": 3,
    "crashes": 1,
    "pod": None,
}
FROM_ENTRY = Processor(
    *("remoteproc0", "a", "", "running", "", "x"), driver="r5", board="xlnx,versal-virt", starts=3, crashes=1
)


@pytest.mark.parametrize(
    ("entry", "processor"),
    [
        (ENTRY, FROM_ENTRY),
        (
            ENTRY | {"pod": {"namespace": "factory", "pod": "motor-7d9f", "container": "motor"}},
            replace(FROM_ENTRY, pod=POD),
        ),
    ],
)
def test_what_the_runtime_tells(tmp_path: Path, entry: dict[str, object], processor: Processor) -> None:
    command = runtime(tmp_path, f"[ \"$*\" = 'processors --format json' ] && echo '{json.dumps([entry])}'")
    assert read_processors(command) == [processor]


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
