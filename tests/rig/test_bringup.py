"""`hil bringup` on the emulated board, reached as a remote one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.rig.stand import Stand

WHOLE_S = 300.0


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    output: str
    checks: dict[str, str]


def bring_up(board: Path, firmware: Path, folder: Path, *words: str) -> Outcome:
    report = folder / "report"
    command = [sys.executable, "-m", "hybrid_hil", "bringup", f"--board={board}", f"--firmware={firmware}"]
    done = subprocess.run(
        [*command, f"--report={report}", *words],
        # tables fold on narrow terminals
        env=os.environ | {"COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WHOLE_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, outcomes(report / "junit.xml"))


def outcomes(junit: Path) -> dict[str, str]:
    """What JUnit says of each check."""
    if not junit.exists():
        return {}
    cases = ElementTree.parse(junit).iter("testcase")
    return {case.attrib["name"]: case[0].tag if len(case) else "passed" for case in cases}


def test_a_board_that_is_fit(stand: Stand, tmp_path: Path) -> None:
    firmware = stand.image.platform / "firmware/core0/heartbeat.elf"
    done = bring_up(stand.board_file(), firmware, tmp_path, "--cycles=2")
    assert done.exit_code == 0, done.output
    assert set(done.checks.values()) == {"passed"}, done.checks
    assert len(done.checks) == 11
    for text in ("10000.r5f", "zynqmp_r5_remoteproc", "Linux 6.12", "create", "fit:"):
        assert text in done.output
    assert (tmp_path / "report/main/core-console.log").stat().st_size > 0
    page = (tmp_path / "report/report.html").read_text()
    assert "<svg" in page
    assert "it_lives_again_and_again" in page
    assert "Findings" in page


@pytest.mark.nightly
def test_what_cannot_be_tried_is_skipped_and_what_is_wrong_has_a_remedy(stand: Stand, tmp_path: Path) -> None:
    """No switch, and a firmware that the kernel refuses."""
    firmware = stand.image.platform / "firmware/core0/out-of-range.elf"
    subprocess.run(stand.switch("on"), check=True)
    done = bring_up(stand.board_file(power=""), firmware, tmp_path, "--cycles=1", "--processor=30000.r5f")
    assert done.exit_code == 1, done.output
    assert done.checks["test_it_lives_again_and_again"] == "failure"
    assert done.checks["test_no_firmware_is_refused_before_the_core_sees_it"] == "passed"
    assert "bad phdr da" in done.output
    assert "the board is not fit yet" in done.output


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"text", "is no sound ELF"), (b"\x7fELF\1\1\1" + b"\0" * 60, "is no sound ELF"), (None, "cannot be read")],
    ids=["text", "truncated", "missing"],
)
def test_firmware_that_is_none(stand: Stand, tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "x.elf"
    if content is not None:
        file.write_bytes(content)
    done = bring_up(stand.board_file(), file, tmp_path)
    assert done.exit_code == 2
    assert says in done.output


def test_a_processor_the_board_file_does_not_name(stand: Stand, tmp_path: Path) -> None:
    firmware = stand.image.platform / "firmware/core0/hello.elf"
    done = bring_up(stand.board_file(), firmware, tmp_path, "--processor=dsp")
    assert done.exit_code == 2
    assert "names no processor `dsp`\nremedy: it names 10000.r5f, 30000.r5f" in done.output
