"""What every test relies on."""

import signal

import pytest

# Below it nobody asks where the time went.
SHARED_S = 120.0
SMALL_S = 10.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interpreter", metavar="PYTHON", help="runs the device's command, instead of /usr/bin/python3")
    parser.addoption(
        "--thorough", action="store_true", help="every system call and many more random lives, not an even choice"
    )
    parser.addoption("--nightly", action="store_true", help="also what is marked as too long for the day")
    parser.addoption("--soak", type=int, metavar="N", help="how many lives back to back: 5 by day, 20 by night")


def pytest_configure(config: pytest.Config) -> None:
    """A shell without job control starts background jobs with SIGINT ignored, and their children inherit that: tests
    that press Ctrl-C would press in vain."""
    config.addinivalue_line("markers", "nightly: too long for the day; skipped without --nightly")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
