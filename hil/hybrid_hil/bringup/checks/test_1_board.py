"""The board before any firmware runs on it."""

from hybrid_hil.bringup.board import ask, doctor
from hybrid_hil.bringup.caveats import caveats
from hybrid_hil.bringup.session import BringupRequest, BringupResult
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.report.finding import Level
from hybrid_hil.shell import Shell


def test_the_board_answers(shell: Shell, result: BringupResult) -> None:
    result.board = ask(shell)
    assert result.board.processors, "the kernel shows no remote processor: dmesg | grep -i rproc"


def test_the_runtime_runs_there(runtime: DeployedRuntime) -> None:
    assert runtime.run("--version").stdout.startswith("hybrid-runtime ")


def test_its_doctor_finds_no_problem(runtime: DeployedRuntime, result: BringupResult) -> None:
    found = doctor(runtime)
    result.findings += found
    problems = [f"{finding.title}: {finding.text}; {finding.remedy}" for finding in found if is_problem(finding.level)]
    assert not problems, "\n".join(problems)


def test_no_known_caveat_stands_in_the_way(
    shell: Shell, result: BringupResult, request_of_user: BringupRequest, processor: str
) -> None:
    found = list(caveats(ask(shell), processor, request_of_user.facts))
    result.findings += found
    problems = [f"{finding.title}: {finding.text}; {finding.remedy}" for finding in found if is_problem(finding.level)]
    assert not problems, "\n".join(problems)


def is_problem(level: Level) -> bool:
    return level is Level.PROBLEM
