"""Kinds of cores by their devicetree, and what `processors` tells a scheduler."""

import json
from pathlib import Path

import pytest

from hybrid_runtime.processor.kind import kind_named
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


@pytest.mark.parametrize(
    ("compatible", "node", "kind"),
    [
        (["xlnx,versal-r5f"], "r5f", "r5f"),
        (["xlnx,versal-net-r52f"], "r52f", "r52f"),
        (["fsl,imx8mn-cm7"], "imx8mn-cm7", "m7"),
        (["fsl,imx8mp-cm7-mmio"], "remoteproc", "m7"),
        (["fsl,imx93-cm33"], "cm33", "m33"),
        (["st,stm32mp1-m4"], "m4", "m4"),
        (["ti,am64-m4fss"], "m4fss", "m4f"),
        (["renesas,rcar-cr7"], "cr7_rproc", "r7"),
        (["ti,j721e-c66-dsp"], "dsp", "dsp"),
        (["fsl,imx8mp-hifi4-dsp"], "dsp", "dsp"),
        (["ti,am654-tx-pru"], "txpru", "pru"),
        (["mediatek,mt8192-scp"], "scp", "scp"),
        (["acme,thing"], "Sensor_Core", "sensor-core"),
        (["acme"], "", ""),
        ([], "__", ""),
    ],
)
def test_kinds(compatible: list[str], node: str, kind: str) -> None:
    assert kind_named(compatible, node) == kind


def told(command: Command) -> dict[str, object]:
    (entry,) = json.loads(command.run("processors", "--format", "json").stdout)
    assert isinstance(entry, dict)
    return entry


def started(command: Command, firmware: Path) -> int:
    """The pid of its supervisor."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    return pid


def test_what_a_scheduler_is_told(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    entry = told(command)
    assert (entry["container"], entry["root"], entry["pod"], entry["obstacle"]) == (None, None, None, None)
    names = {"io.kubernetes.pod.name": "motor-7d9f", "io.kubernetes.pod.namespace": "factory"}
    bundle = write_bundle(tmp_path / "pod", firmware, annotations=names | {"io.kubernetes.container.name": "motor"})
    command.run("create", "--bundle", bundle, "1ec86f")
    command.run("start", "1ec86f")
    entry = told(command)
    assert entry["container"] == "1ec86f"
    assert entry["pod"] == {"namespace": "factory", "pod": "motor-7d9f", "container": "motor"}
    # It runs, under our container.
    assert entry["obstacle"] is None
    command.run("delete", "--force", "1ec86f")
    assert (entry["board"], entry["soc"]) == (None, None)
    (double.firmware_folder / "boot.elf").write_bytes(b"firmware")
    core.write("firmware", "boot.elf")
    core.start_from_outside()
    assert "started outside this runtime" in str(told(command)["obstacle"])


@pytest.mark.parametrize(
    ("compatible", "board", "soc"),
    [
        (b"fsl,imx93-11x11-evk\0fsl,imx93\0", "fsl,imx93-11x11-evk", "fsl,imx93"),
        (b"xlnx,zcu102-rev1.0\0xlnx,zcu102\0xlnx,zynqmp\0", "xlnx,zcu102-rev1.0", "xlnx,zynqmp"),
        (b"xlnx,versal-virt\0", "xlnx,versal-virt", "xlnx,versal-virt"),
    ],
)
@pytest.mark.usefixtures("core")
def test_the_board(command: Command, double: RemoteprocDouble, compatible: bytes, board: str, soc: str) -> None:
    folder = double.sysroot / "proc/device-tree"
    folder.mkdir(parents=True)
    (folder / "compatible").write_bytes(compatible)
    assert (told(command)["board"], told(command)["soc"]) == (board, soc)


def test_a_core_that_does_not_stop(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """While its container tries, after that one was killed, and no longer than it lasts."""
    running = started(command, firmware)
    core.refuses_to_stop = True
    command.run("kill", "motor")
    eventually(lambda: "does not stop: it is still up" in str(told(command)["obstacle"]))
    assert told(command)["container"] == "motor"
    assert "does not stop" in command.state("motor")["annotations"]["remoteproc.refused-stop"]
    command.run("kill", "motor", "KILL", code=1)
    assert command.exit_code(running) == 137
    entry = told(command)
    assert entry["obstacle"] == "container `motor` has ended, and its core has not been stopped"
    assert entry["container"] is None
    core.refuses_to_stop = False
    command.run("kill", "motor")
    assert told(command)["obstacle"] is None
    command.run("delete", "motor")


def test_a_core_that_stops_after_all(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    running = started(command, firmware)
    core.refuses_to_stop = True
    command.run("kill", "motor")
    eventually(lambda: "remoteproc.refused-stop" in command.state("motor")["annotations"])
    core.refuses_to_stop = False
    assert command.exit_code(running) == 0
    assert "remoteproc.refused-stop" not in command.state("motor")["annotations"]
    assert told(command)["obstacle"] is None
