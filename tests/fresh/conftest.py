"""A machine for each system that the README names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root
from tests.fresh.fresh_machine import FreshMachine
from tests.fresh.release import RELEASES, Release


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--try", dest="tried", metavar="COMMAND", help="runs this alone, instead of the README's commands")


@pytest.fixture(scope="module", params=RELEASES, ids=[release.suite for release in RELEASES])
def machine(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[FreshMachine]:
    release: Release = request.param
    if os.geteuid() != 0:
        pytest.skip("making a machine takes root: the README's commands are NOT tried on a fresh one")
    if not release.keyring.is_file():
        reason = f"no {release.keyring} here (package {release.keyring_package})"
        pytest.skip(f"{reason}: the README's commands are NOT tried on {release.name}")
    logs = Path(pytestconfig.getoption("--hil-artifacts")) / "fresh"
    with FreshMachine(release, checkout_root(), logs) as made:
        yield made
    assert not made.tree.exists()
    assert str(made.tree) not in Path("/proc/self/mountinfo").read_text()
