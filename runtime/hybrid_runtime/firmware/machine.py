"""Programs for Linux in the place of firmware: a sidecar that was put into a pod, a debugging container.

The kernel does not compare the machine of an ELF with the core's. Where its driver tells what the core is, we do.
"""

from hybrid_runtime.system.failure import Failure

# e_machine of elf(5); TI's are in its ABI documents.
_X86, _ARM, _X86_64, _XTENSA, _C6000, _PRU, _AARCH64, _RISCV = 3, 40, 62, 94, 140, 144, 183, 243
_NAMES = {
    _X86: "x86",
    _ARM: "Arm",
    _X86_64: "x86-64",
    _XTENSA: "Xtensa",
    _C6000: "TI C6000",
    _PRU: "TI PRU",
    _AARCH64: "AArch64",
    _RISCV: "RISC-V",
}
# Names of drivers below drivers/remoteproc of Linux 6.12 whose cores are all of one machine. 0 is a linker's that does
# not say.
_OF_DRIVERS = {
    **dict.fromkeys(("zynqmp_r5_remoteproc", "imx-rproc", "stm32-rproc", "rcar-rproc", "wkup_m3_rproc"), _ARM),
    **dict.fromkeys(("k3_r5_rproc", "k3-m4-rproc"), _ARM),
    "imx-dsp-rproc": _XTENSA,
    "pru-rproc": _PRU,
}
_REMEDY = (
    "build the firmware for the core; a program for Linux needs a container without this runtime, which for a sidecar "
    "or `kubectl debug` is a pod without this RuntimeClass"
)


def require_machine(machine: int, driver: str, *, has_interpreter: bool) -> None:
    """Raises Failure for what no core of that driver runs. `has_interpreter`: the file wants one (PT_INTERP)."""
    if has_interpreter:
        raise Failure(f"the file is a program for Linux ({_named(machine)}), and no firmware", _REMEDY)
    wanted = _OF_DRIVERS.get(driver, machine)
    if machine not in (0, wanted):
        raise Failure(f"the file is for {_named(machine)}, and cores of `{driver}` are {_named(wanted)}", _REMEDY)


def _named(machine: int) -> str:
    return _NAMES.get(machine, f"machine {machine}")
