"""The runtime's verbs as methods: what is run, and what a verb that fails comes to."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.device.deployment import COMMAND
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.shell import CommandError, Completed, Shell


class AnsweringShell(Shell):
    """A double of a board's shell: every command ends as it is told to, and is kept."""

    def __init__(self, exit_status: int = 0, stdout: str = "") -> None:
        super().__init__(BoardHealth())
        self.exit_status, self.stdout = exit_status, stdout
        self.commands: list[list[str]] = []

    def run(self, command: str | Sequence[str], **options: Any) -> Completed:  # noqa: ANN401
        self.commands.append(list(command))
        completed = Completed(" ".join(command), self.exit_status, self.stdout, "hybrid-runtime: no", 0.1)
        if options.get("check", True) and self.exit_status != 0:
            raise CommandError(completed)
        return completed


Verb = Callable[[DeployedRuntime], object]
VERBS: dict[str, Verb] = {
    "run": lambda runtime: runtime.run("features"),
    "create": lambda runtime: runtime.create("motor", "/x.elf"),
    "start": lambda runtime: runtime.start("motor"),
    "state": lambda runtime: runtime.state("motor"),
    "kill": lambda runtime: runtime.kill("motor"),
    "delete": lambda runtime: runtime.delete("motor"),
    "logs": lambda runtime: runtime.logs("motor"),
    "processors": lambda runtime: runtime.processors(),
}


@pytest.mark.parametrize("exit_status", [1, 127, 137, -1])
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_a_verb_that_fails_raises(verb: Verb, exit_status: int) -> None:
    """Its answer would do for all of them: what they make of it must not hide the failure."""
    with pytest.raises(CommandError, match=f"ended with {exit_status}") as caught:
        verb(DeployedRuntime(AnsweringShell(exit_status, "[]")))
    assert caught.value.completed.exit_status == exit_status


def test_one_that_may_fail_gives_its_end() -> None:
    runtime = DeployedRuntime(AnsweringShell(3))
    for completed in (
        runtime.run("features", check=False),
        runtime.create("motor", "/x.elf", check=False),
        runtime.start("motor", check=False),
        runtime.kill("motor", check=False),
        runtime.delete("motor", check=False),
    ):
        assert (completed.exit_status, completed.stderr) == (3, "hybrid-runtime: no")


def test_the_words_are_those_of_the_command_line() -> None:
    shell = AnsweringShell(stdout="{}")
    runtime = DeployedRuntime(shell)
    runtime.create("motor", "/x.elf", processor="r5f", annotations={"remoteproc.logs": "trace"})
    runtime.state("motor")
    runtime.kill("motor", "KILL")
    runtime.delete("motor", force=True)
    annotations = ["--annotation", "remoteproc.logs=trace", "--annotation", "remoteproc.name=r5f"]
    assert shell.commands == [
        [COMMAND, "create", *annotations, "/x.elf", "motor"],
        [COMMAND, "state", "motor"],
        [COMMAND, "kill", "motor", "KILL"],
        [COMMAND, "delete", "--force", "motor"],
    ]


@pytest.mark.parametrize("exit_status", [0, 1])
def test_who_listens_hears_of_failures_too(exit_status: int) -> None:
    heard: list[tuple[Sequence[str], int]] = []
    runtime = DeployedRuntime(
        AnsweringShell(exit_status), lambda words, completed: heard.append((words, completed.exit_status))
    )
    runtime.run("kill", "motor", check=False)
    assert heard == [(("kill", "motor"), exit_status)]
