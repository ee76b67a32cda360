"""What every test relies on."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from tests import declared_tools

# Below it nobody asks where the time went.
SHARED_S = 120.0
SMALL_S = 10.0

# The folder of links that PATH has instead of the machine's own; empty where the machine has no list of its packages.
TOOLS_VARIABLE = "HYBRID_HIL_TOOLS"
OWN_TOOLS = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interpreter", metavar="PYTHON", help="runs the device's command, instead of /usr/bin/python3")
    parser.addoption(
        "--thorough", action="store_true", help="every system call and many more random lives, not an even choice"
    )
    parser.addoption("--nightly", action="store_true", help="also what is marked as too long for the day")
    parser.addoption("--host-path", action="store_true", help="PATH as it is, with tools that no list names")
    parser.addoption("--soak", type=int, metavar="N", help="how many lives back to back: 5 by day, 20 by night")


def pytest_configure(config: pytest.Config) -> None:
    """A shell without job control starts background jobs with SIGINT ignored, and their children inherit that: tests
    that press Ctrl-C would press in vain."""
    config.addinivalue_line("markers", "nightly: too long for the day; skipped without --nightly")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not (_takes_host_path(config) or TOOLS_VARIABLE in os.environ):
        _take_declared_tools(config)


def _takes_host_path(config: pytest.Config) -> bool:
    """The commands of a board of somebody's own are in their PATH."""
    return bool(config.getoption("--host-path") or config.getoption("--board", None))


def _take_declared_tools(config: pytest.Config) -> None:
    """For this process and all it starts: xdist's workers on this machine, and runs of pytest inside a test."""
    folder = Path(tempfile.mkdtemp(prefix="hybrid-hil-tools-"))
    config.stash[OWN_TOOLS] = folder
    lists = [declared_tools.HOST_LIST, declared_tools.TEST_LIST]
    if _makes_buildroot_images(config):
        lists.append(declared_tools.BUILDROOT_LIST)
    try:
        declared_tools.link_tools(folder, declared_tools.declared(lists))
    except declared_tools.NoDatabaseError:
        os.environ[TOOLS_VARIABLE] = ""
        return
    os.environ[TOOLS_VARIABLE] = str(folder)
    of_environment = [str(Path(sys.prefix, "bin"))] if sys.prefix != sys.base_prefix else []
    os.environ["PATH"] = os.pathsep.join([*of_environment, str(folder)])


def _makes_buildroot_images(config: pytest.Config) -> bool:
    image = config.getoption("--image", None) or ""
    return image.startswith("buildroot") or bool(os.environ.get("BUILDROOT"))


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(OWN_TOOLS, None)
    if folder is not None:
        os.environ.pop(TOOLS_VARIABLE, None)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_report_header() -> str:
    folder = os.environ.get(TOOLS_VARIABLE)
    if folder is None:
        return "tools: this machine's, whether a list of packages names them or not"
    if not folder:
        return "tools: this machine's, for want of dpkg: one that no list of packages names is not missed"
    return f"tools: {len(list(Path(folder).iterdir()))}, of the packages that are declared"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skipped, and so counted, rather than deselected. Whoever names a test means it."""
    if config.getoption("--nightly"):
        return
    named = {argument for argument in config.args if "::" in argument}
    for item in items:
        if item.get_closest_marker("nightly") and not any(item.nodeid.startswith(name) for name in named):
            item.add_marker(pytest.mark.skip(reason="the night's: --nightly runs it"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The share of each file in all that was waited for, of those that took long: where a suite's minutes go."""
    seconds: dict[str, float] = {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport):
            file = report.nodeid.partition("::")[0]
            seconds[file] = seconds.get(file, 0.0) + report.duration
    whole = sum(seconds.values())
    if whole < SHARED_S:
        return
    terminalreporter.section("shares")
    for file, took in sorted(seconds.items(), key=lambda item: -item[1]):
        if took > SMALL_S:
            terminalreporter.write_line(f"{took / whole:6.1%} {took:7.1f} s  {file}")


@pytest.fixture(scope="session")
def nightly(pytestconfig: pytest.Config) -> bool:
    """Whether there is time, as at night."""
    return bool(pytestconfig.getoption("--nightly"))


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether everything is tried, as at night."""
    return bool(pytestconfig.getoption("--thorough"))
