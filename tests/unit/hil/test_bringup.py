"""Bring-up's decisions: what an ELF says, which caveats apply, when a board is fit."""

import io
import struct
import subprocess
from pathlib import Path

import pytest
from elftools.common.exceptions import ELFError
from rich.console import Console

from hybrid_hil.bringup.board import BoardFacts, ProcessorFacts
from hybrid_hil.bringup.caveats import caveats
from hybrid_hil.bringup.elf import FirmwareFacts, read_firmware, resources
from hybrid_hil.bringup.page import show
from hybrid_hil.bringup.session import BringupResult, Check
from hybrid_hil.failure import RigError
from hybrid_hil.report.finding import Finding, Level

FIRMWARE = FirmwareFacts("ARM", 32, 0, ((0x10000, 0x12000),), ("trace",))


def processor(name: str = "m33", state: str = "offline", driver: str = "imx-rproc") -> ProcessorFacts:
    return ProcessorFacts("remoteproc0", name, state, "fw", "disabled", "disabled", driver, "", True)


def board(*processors: ProcessorFacts) -> BoardFacts:
    return BoardFacts("A board", "6.12", "3.11", "", (), processors)


def titles(where: BoardFacts, firmware: FirmwareFacts = FIRMWARE) -> dict[str, Level]:
    return {finding.title: finding.level for finding in caveats(where, "m33", firmware)}


def table(*kinds: int, version: int = 1, order: str = "<") -> bytes:
    """A resource table whose entries are nothing but their kinds."""
    offsets = [16 + 4 * len(kinds) + 4 * index for index in range(len(kinds))]
    return struct.pack(f"{order}II8x{len(kinds)}I{len(kinds)}I", version, len(kinds), *offsets, *kinds)


def test_a_fit_board_has_no_caveats() -> None:
    assert titles(board(processor())) == {}


def test_a_processor_that_is_missing_is_told_with_those_that_are_there() -> None:
    (finding,) = caveats(board(processor("dsp")), "m33", FIRMWARE)
    assert (finding.level, finding.title) == (Level.PROBLEM, "the processor is not there")
    assert "present are `dsp`" in finding.text


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("detached", "the core runs since before Linux"),
        ("attached", "the core runs since before Linux"),
        ("running", "the core is in use"),
        ("crashed", "the core is in use"),
    ],
)
def test_a_core_that_is_not_free(state: str, title: str) -> None:
    assert titles(board(processor(state=state))) == {title: Level.PROBLEM}


@pytest.mark.parametrize(("driver", "level"), [("imx-rproc", Level.PROBLEM), ("stm32-rproc", Level.WARNING)])
def test_a_missing_resource_table_wedges_some_cores(driver: str, level: Level) -> None:
    bare = FirmwareFacts("ARM", 32, 0, ((0, 1),), None)
    assert titles(board(processor(driver=driver)), bare) == {"the firmware has no resource table": level}


@pytest.mark.parametrize(("resources", "silent"), [((), True), (("carveout",), True), (("vdev",), False)])
def test_firmware_without_output(resources: tuple[str, ...], silent: bool) -> None:
    quiet = FirmwareFacts("ARM", 32, 0, ((0, 1),), resources)
    assert ("the firmware has no output" in titles(board(processor()), quiet)) is silent


@pytest.mark.parametrize("order", ["<", ">"])
def test_entries_of_a_resource_table(order: str) -> None:
    assert resources(table(2, 3, 0, order=order), order) == ("trace", "vdev", "carveout")
    assert resources(table(order=order), order) == ()
    assert resources(table(99, order=order), order) == ("type 99",)


@pytest.mark.parametrize("data", [b"", table(2)[:-1], table(2)[:18]])
def test_a_truncated_resource_table(data: bytes) -> None:
    with pytest.raises(struct.error):
        resources(data, "<")


def test_a_resource_table_no_kernel_takes() -> None:
    for data in (table(2, version=2), struct.pack("<II8x", 1, 2**31)):
        with pytest.raises(ELFError):
            resources(data, "<")


def test_an_elf_of_this_host(tmp_path: Path) -> None:
    """Any linker's will do: nothing here runs it."""
    source, target = tmp_path / "x.c", tmp_path / "x.elf"
    source.write_text('__attribute__((section(".resource_table"))) const unsigned t[4] = {1};\nint main(void) {}\n')
    subprocess.run(["gcc", "-o", target, source], check=True)
    facts = read_firmware(target)
    assert facts.resources == ()
    assert facts.loaded
    target.write_bytes(target.read_bytes()[:200])
    with pytest.raises(RigError, match="is no sound ELF"):
        read_firmware(target)


def test_a_board_is_fit_when_something_passed_and_nothing_failed() -> None:
    passed, skipped = Check("a", "passed", 1.0), Check("b", "skipped", 0.0, "no switch")
    warning, problem = Finding(Level.WARNING, "w"), Finding(Level.PROBLEM, "p")
    assert BringupResult(checks=[passed, skipped], findings=[warning]).fit
    assert not BringupResult(checks=[skipped]).fit
    assert not BringupResult(checks=[passed, Check("c", "failed", 1.0)]).fit
    assert not BringupResult(checks=[passed], findings=[problem]).fit


def test_the_page_takes_nothing_for_markup() -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    result = BringupResult(
        board=board(processor("[red]m33[/red]")),
        checks=[Check("it lives", "failed", 1.0, "[/nonsense] says the kernel")],
        findings=[Finding(Level.PROBLEM, "[bold]", "[/b]", "[link=x]")],
        timings={"create": [0.5, 1.5]},
    )
    show(result, console)
    text = console.export_text()
    for said in ("[red]m33[/red]", "[/nonsense] says the kernel", "[bold]: [/b]", "[link=x]", "1.00 s"):
        assert said in text
