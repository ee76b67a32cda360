"""What every test relies on."""

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interpreter", metavar="PYTHON", help="runs the device's command, instead of /usr/bin/python3")


def pytest_configure() -> None:
    """A shell without job control starts background jobs with SIGINT ignored, and their children inherit that: tests
    that press Ctrl-C would press in vain."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
