"""The modules that a run mutates."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root
from tests.checkout_copy import copy_checkout
from tests.mutation.session import SCORE, Module
from tests.throwaway_folder import ThrowawayFolder

HERE = Path(__file__).resolve().parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "module" in metafunc.fixturenames:
        listed = tomllib.loads((HERE / "modules.toml").read_text())["module"]
        modules = [Module(entry["path"], tuple(entry["tests"])) for entry in listed]
        metafunc.parametrize("module", modules, ids=[module.path for module in modules])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The score of each module, whatever the verdict."""
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, value in getattr(report, "user_properties", []):
            if name == SCORE and report.when == "call":
                terminalreporter.write_line(value)


@pytest.fixture
def folder() -> Iterator[Path]:
    """For all files of one session."""
    with ThrowawayFolder("hybrid-mutation-") as made:
        # Some tests act as another user, who has to come through.
        made.chmod(0o711)
        yield made


@pytest.fixture
def copy(folder: Path) -> Path:
    """The checkout whose module is changed."""
    copy_checkout(checkout_root(), folder / "c")
    return folder / "c"
