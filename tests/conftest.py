"""What every test relies on."""

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interpreter", metavar="PYTHON", help="runs the device's command, instead of /usr/bin/python3")
    parser.addoption(
        "--thorough", action="store_true", help="every system call and many more random lives, not an even choice"
    )
    parser.addoption("--soak", type=int, default=20, metavar="N", help="how many lives back to back the soak runs")


def pytest_configure() -> None:
    """A shell without job control starts background jobs with SIGINT ignored, and their children inherit that: tests
    that press Ctrl-C would press in vain."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether everything is tried, as at night."""
    return bool(pytestconfig.getoption("--thorough"))
