"""Which QEMU boards run in, and whether it is fit for them."""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.host.finding import HostFinding, Severity
from hybrid_hil.host.program import find_program, output_of
from hybrid_hil.usage import refuse_empty

# The first QEMU whose xlnx-versal-virt models the reset controller of the R5 cores.
MINIMUM_QEMU = (7, 2)
MACHINE = "xlnx-versal-virt"
QEMU = "qemu-system-aarch64"
QEMU_VARIABLE = "HYBRID_HIL_QEMU"


def named_qemu(choice: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The program that is meant, there or not: `choice`, else HYBRID_HIL_QEMU, else the one of PATH."""
    return choice or environment.get(QEMU_VARIABLE) or QEMU


def chosen_qemu(choice: str | None) -> str:
    """The QEMU that boards are run with, found fit for them; the name alone when it is that of PATH.

    Raises:
        RigError: it is not there, too old, or lacks the machine.
    """
    refuse_empty("--qemu", choice)
    word = named_qemu(choice)
    program = find_program(word)
    if program is None:
        remedy = f"`hil doctor` shows what to install; `--qemu` and {QEMU_VARIABLE} name one to use"
        raise RigError(f"no program `{word}` to run boards in", remedy, exit_code=2)
    _require_fit(program)
    return word if word == QEMU else str(Path(program).absolute())


@cache
def banner(program: str) -> str:
    """What `program` says of its version; asked once per process."""
    return output_of([program, "--version"])


def version_of(qemu: str) -> str:
    """The first line that a program of `chosen_qemu` says of itself: boards kept by one do not live in another."""
    return banner(find_program(qemu) or qemu).partition("\n")[0]


def version_in(said: str) -> str:
    """The version a banner tells, major and minor; empty when it tells none."""
    found = re.search(r"version (\d+\.\d+)", said)
    return found[1] if found else ""


def judge_qemu(banner: str) -> HostFinding:
    """`banner` is what `qemu-system-aarch64 --version` prints."""
    match = re.search(r"version (\d+)\.(\d+)", banner)
    if match is None:
        said = banner.partition("\n")[0][:60]
        return HostFinding("QEMU version", Severity.FAIL, f"unreadable: `{said}`", "install QEMU 7.2 or later")
    text, version = match[0].removeprefix("version "), (int(match[1]), int(match[2]))
    if version < MINIMUM_QEMU:
        return HostFinding("QEMU version", Severity.FAIL, text, "install QEMU 7.2 or later")
    return HostFinding("QEMU version", Severity.OK, text)


def judge_machines(listing: str) -> HostFinding:
    """`listing` is what `qemu-system-aarch64 -machine help` prints."""
    if re.search(rf"^{MACHINE}\b", listing, re.MULTILINE):
        return HostFinding("QEMU machine", Severity.OK, MACHINE)
    remedy = "install a QEMU that has it, such as Debian's package qemu-system-arm"
    return HostFinding("QEMU machine", Severity.FAIL, f"no {MACHINE}", remedy)


@cache
def _require_fit(program: str) -> None:
    """Two programs started for the first board of a process, none for the next."""
    for finding in (judge_qemu(banner(program)), judge_machines(output_of([program, "-machine", "help"]))):
        if finding.severity is Severity.FAIL:
            remedy = f"{finding.remedy}, or name another: `--qemu PROGRAM`, {QEMU_VARIABLE}, `hil qemu` fetches one"
            raise RigError(f"`{program}` cannot run boards: {finding.subject} {finding.found}", remedy, exit_code=2)
