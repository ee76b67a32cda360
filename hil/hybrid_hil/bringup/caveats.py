"""What is known of boards and drivers that no error message tells; decided from facts alone."""

from collections.abc import Iterator

from hybrid_hil.bringup.board import BoardFacts, ProcessorFacts
from hybrid_hil.bringup.elf import FirmwareFacts
from hybrid_hil.report.finding import Finding, Level

# imx_rproc_elf_find_loaded_rsc_table and its callers before a table was made optional: a NULL is dereferenced.
NEEDS_A_TABLE = "imx-rproc"
EARLY = ("detached", "attached")


def caveats(board: BoardFacts, processor: str, firmware: FirmwareFacts) -> Iterator[Finding]:
    """Of one firmware on the processor of that name."""
    instances = board.named(processor)
    if not instances:
        known = ", ".join(f"`{one.name}`" for one in board.processors) or "none"
        yield Finding(
            Level.PROBLEM,
            "the processor is not there",
            f"`{processor}`; present are {known}",
            "the name in the board file is the devicetree node's; see that the driver is bound: dmesg | grep -i rproc",
        )
        return
    for instance in instances:
        yield from _of_instance(instance)
    yield from _of_firmware(instances[0], firmware)
    if board.firmware_path:
        yield Finding(Level.OK, "firmware has a folder of its own", f"`{board.firmware_path}`, global to this kernel")


def _of_instance(instance: ProcessorFacts) -> Iterator[Finding]:
    where = f"{instance.name} ({instance.device})"
    if instance.state in EARLY:
        yield Finding(
            Level.PROBLEM,
            "the core runs since before Linux",
            f"{where} is {instance.state}: its boot loader has started it, and loading is not ours to do",
            "take its firmware out of the boot loader's hands, or leave this core to it",
        )
    elif instance.state != "offline":
        yield Finding(
            Level.PROBLEM,
            "the core is in use",
            f"{where} is {instance.state} with `{instance.firmware}`",
            f"stop whoever has started it: echo stop > /sys/class/remoteproc/{instance.device}/state",
        )
    if instance.recovery == "enabled":
        yield Finding(
            Level.OK,
            "the driver restarts crashed cores by default",
            f"{where}: outside containers a crash is over within milliseconds; containers set it for themselves",
        )


def _of_firmware(instance: ProcessorFacts, firmware: FirmwareFacts) -> Iterator[Finding]:
    if firmware.resources is None:
        fatal = instance.driver == NEEDS_A_TABLE
        yield Finding(
            Level.PROBLEM if fatal else Level.WARNING,
            "the firmware has no resource table",
            "kernels whose imx_rproc wants one dereference NULL, and the core is wedged until a reset"
            if fatal
            else "it runs, and nothing it prints can be seen",
            "link a section .resource_table, if only an empty one: version 1, no entries",
        )
    elif "trace" not in firmware.resources and "vdev" not in firmware.resources:
        yield Finding(
            Level.WARNING,
            "the firmware has no output",
            "its resource table names neither a trace buffer nor a vdev: logs stay empty",
            "add an RSC_TRACE entry and print there",
        )
