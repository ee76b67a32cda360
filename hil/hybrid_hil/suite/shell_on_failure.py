"""A person's visit on the board of a test that has just failed."""

from collections.abc import Callable

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.shell.interaction import converse, request_terminal
from hybrid_hil.shell.shell import RUN_S
from hybrid_hil.terminal import is_interactive

OPTION = "--hil-shell"


def add_option(group: pytest.OptionGroup) -> None:
    group.addoption(OPTION, action="store_true", help="when a test fails, a shell on its board, before that is cleaned")


def register(config: pytest.Config, booted: Callable[[], Rig | None]) -> None:
    """Does nothing unless `--hil-shell` is given.

    Raises:
        pytest.UsageError: there is nobody who could type, or several boards that would ask at once.
    """
    if not config.getoption(OPTION) or hasattr(config, "workerinput"):
        return
    if config.getoption("dist", "no") != "no":
        raise pytest.UsageError(f"{OPTION} has one terminal for one board: run without -n and --dist")
    _uncapture(config)
    if not is_interactive():
        raise pytest.UsageError(f"{OPTION} needs a terminal: standard input or output is none")
    config.pluginmanager.register(Visitor(config, booted), "hybrid-hil-visitor")


class Visitor:
    """Opens a shell after each failure; the test's fixtures are still set up, its containers as they were."""

    def __init__(self, config: pytest.Config, booted: Callable[[], Rig | None]) -> None:
        self._config = config
        self._booted = booted

    def pytest_exception_interact(self, node: pytest.Item | pytest.Collector, report: pytest.TestReport) -> None:
        rig = self._booted()
        if rig is None or "board" not in getattr(node, "fixturenames", ()):
            return
        _uncapture(self._config)
        print(f"\n{report.longreprtext}\n\n{node.nodeid} failed in its {report.when}; this is its board.")
        print("The tests go on when this shell ends.\n", flush=True)
        try:
            channel = rig.board.shell.open_channel(Deadline(RUN_S))
        except RigError as error:
            print(f"no shell: {error}")
            return
        request_terminal(channel)
        channel.invoke_shell()
        converse(channel, terminal=True)


def _uncapture(config: pytest.Config) -> None:
    """Gives the person standard input, output and error; pytest takes them again at its next step."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        capture.suspend(in_=True)
