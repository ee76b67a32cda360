"""What may name a container."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.identifier import check_identifier
from hybrid_runtime.system.failure import Failure
from tests.unit.runtime.command_runner import Command, attempt
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

REFUSED = ["", ".", "..", "../x", "a/b", "/abs", "a b", "a\tb", "a\n", "é", "x" * 256, "a:b", "a\\b", "a*"]


@pytest.mark.parametrize("identifier", ["a", "x" * 255, "...", "-", "A_z-0.9+1", "..a"])
def test_allowed(identifier: str) -> None:
    assert check_identifier(identifier) == identifier


@pytest.mark.parametrize("identifier", REFUSED)
def test_refused(identifier: str) -> None:
    with pytest.raises(Failure, match="container id"):
        check_identifier(identifier)


@given(st.text(max_size=300))
def test_an_allowed_name_is_one_folder(identifier: str) -> None:
    outcome = attempt(lambda: check_identifier(identifier), Failure)
    if isinstance(outcome, Failure):
        # The message can be shown on any terminal.
        assert str(outcome).isprintable()
        assert str(outcome).isprintable()
    else:
        assert identifier not in (".", "..")
        assert "/" not in identifier
        assert len(identifier.encode()) <= 255


@pytest.mark.parametrize("verb", ["state", "start", "kill", "delete", "logs", "create", "delete --force"])
def test_every_verb_checks(command: Command, double: RemoteprocDouble, verb: str) -> None:
    double.add("core0")
    keep = double.root / "keep"
    keep.mkdir(parents=True)
    for identifier in ("", "..", "../x", "keep/", "."):
        outcome = command.run(*verb.split(), *(["/bin/true"] if verb == "create" else []), identifier, code=1)
        assert "container id" in outcome.stderr
    assert keep.is_dir()
