"""The README's commands, typed on a machine that has nothing yet."""

import re

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.host.checkout import checkout_root
from tests.fresh.fresh_machine import FreshMachine
from tests.fresh.host_settings import readme_commands

# Five times what each takes on two quiet CPUs.
DEMO_S = 90 * 60.0
TEST_S = 200 * 60.0
# What cannot be there by accident.
PROOF = {"./rig demo": (r"^proven$",), "./rig test": (r"^✓ lint\b", r"^✓ type\b", r"^✓ unit\b", r"^✓ hil\b")}
SECONDS = {"./rig demo": DEMO_S, "./rig test": TEST_S}


def test_the_readme_s_commands(machine: FreshMachine, pytestconfig: pytest.Config) -> None:
    tried = pytestconfig.getoption("tried")
    commands = [tried] if tried else readme_commands((checkout_root() / "README.md").read_text(encoding="utf-8"))
    assert tried or list(commands) == list(PROOF)
    for command in commands:
        name = re.sub(r"\W+", "-", command).strip("-")[:40]
        shown = machine.run(command, name, Deadline(SECONDS.get(command, TEST_S)).remaining())
        for sign in PROOF.get(command, ()):
            assert re.search(sign, shown, re.MULTILINE), f"`{command}` ended well without `{sign}`"
