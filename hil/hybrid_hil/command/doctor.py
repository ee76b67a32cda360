"""`hil doctor`: what this machine lacks."""

import sys

import click
from rich.table import Table
from rich.text import Text

from hybrid_hil.command.checkup import findings
from hybrid_hil.command.options import qemu_option
from hybrid_hil.host.emulator import named_qemu
from hybrid_hil.host.finding import HostFinding, Severity
from hybrid_hil.terminal import TerminalReporter, out

COLOURS = {Severity.OK: "green", Severity.NOTE: "yellow", Severity.FAIL: "bold red"}


@click.command()
@qemu_option
def command(qemu: str | None) -> None:
    """Look at this machine and say what the rig lacks, each finding with its remedy.

    \b
    Examples:
      hil doctor
      hil doctor --qemu "$(hil qemu)"
    Exit code 0 when the rig can work here, 1 when something is missing.
    """
    reporter = TerminalReporter()
    with reporter.step("look at this machine") as step:
        found = []
        for finding in findings(named_qemu(qemu)):
            step.detail(finding.subject)
            found.append(finding)
    out.print(table_of(found))
    failed = sum(finding.severity is Severity.FAIL for finding in found)
    if failed:
        out.print(f"{failed} of {len(found)} findings keep the rig from working")
        sys.exit(1)
    out.print("the rig can work here")


def table_of(found: list[HostFinding]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "remedy"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        severity = Text(finding.severity.value, style=COLOURS[finding.severity])
        table.add_row(severity, Text(finding.subject), Text(finding.found), Text(finding.remedy))
    return table
