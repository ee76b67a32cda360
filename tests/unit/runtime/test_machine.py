"""ELF files that no core of the processor's driver runs."""

from pathlib import Path

import pytest

from hybrid_runtime.firmware.machine import require_machine
from hybrid_runtime.system.failure import Failure
from tests.elf_builder import build_elf
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

ARM, AARCH64, XTENSA = 40, 183, 94
MACHINE_AT = 18
SEGMENT_AT = 52
INTERPRETER = 3


@pytest.mark.parametrize(
    ("machine", "driver"),
    [(ARM, "zynqmp_r5_remoteproc"), (0, "imx-rproc"), (XTENSA, "imx-dsp-rproc"), (AARCH64, "of-others"), (AARCH64, "")],
)
def test_what_may_run(machine: int, driver: str) -> None:
    require_machine(machine, driver, has_interpreter=False)


@pytest.mark.parametrize(
    ("machine", "driver", "has_interpreter", "says"),
    [
        (AARCH64, "zynqmp_r5_remoteproc", False, "is for AArch64, and cores of `zynqmp_r5_remoteproc` are Arm"),
        (XTENSA, "stm32-rproc", False, "is for Xtensa, and cores of `stm32-rproc` are Arm"),
        (ARM, "imx-dsp-rproc", False, "is for Arm, and cores of `imx-dsp-rproc` are Xtensa"),
        (999, "imx-rproc", False, "is for machine 999"),
        (ARM, "stm32-rproc", True, "is a program for Linux (Arm), and no firmware"),
        (AARCH64, "", True, "is a program for Linux (AArch64), and no firmware"),
    ],
)
def test_what_may_not(machine: int, driver: str, has_interpreter: bool, says: str) -> None:
    with pytest.raises(Failure) as raised:
        require_machine(machine, driver, has_interpreter=has_interpreter)
    assert says in raised.value.message
    assert "a pod without this RuntimeClass" in raised.value.remedy


def test_a_sidecar(command: Command, core: ProcessorDouble, double: RemoteprocDouble, tmp_path: Path) -> None:
    """By the driver that sysfs shows above the processor, and by what a dynamic program asks for."""
    device = (double.sysroot / "sys/class/remoteproc" / core.device).resolve().parent.parent
    (device / "driver").unlink()
    (device / "driver").symlink_to("../../bus/platform/drivers/imx-rproc")
    program = bytearray(build_elf())
    program[MACHINE_AT] = AARCH64
    path = tmp_path / "proxy"
    path.write_bytes(program)
    assert "is for AArch64, and cores of `imx-rproc` are Arm" in command.run("create", path, "x", code=1).stderr
    program[MACHINE_AT], program[SEGMENT_AT] = ARM, INTERPRETER
    path.write_bytes(program)
    assert "is a program for Linux (Arm)" in command.run("create", path, "x", code=1).stderr
    assert double.leftovers() == []
