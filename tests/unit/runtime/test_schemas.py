"""What the runtime prints is valid against the schemas of the OCI runtime specification."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from tests.unit.runtime import oci_schemas
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble

STATE = "state-schema.json"
FEATURES = "features-schema.json"


def test_features(command: Command) -> None:
    schema = oci_schemas.validator(FEATURES)
    outcome = command.run("features")
    features = json.loads(outcome.stdout)
    schema.validate(features)
    assert (features["ociVersionMin"], features["ociVersionMax"]) == ("1.0.0", "1.3.0")
    assert outcome.stderr == ""


def test_state_of_each_status(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    schema = oci_schemas.validator(STATE)
    statuses = []

    def look() -> None:
        state = command.state("motor")
        schema.validate(state)
        statuses.append(state["status"])

    pid = command.create(firmware, "motor")
    look()
    command.run("start", "motor")
    look()
    core.crash()
    assert command.exit_code(pid) == 70
    look()
    assert statuses == ["created", "running", "stopped"]


def test_state_of_a_create_at_work(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    schema = oci_schemas.validator(STATE)
    command.create(firmware, "motor")
    path = command.double.root / "motor/record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"phase": "creating", "bundle": "", "annotations": {}}))
    state = command.state("motor")
    assert state["status"] == "creating"
    schema.validate(state)
    assert core.boots == []


@pytest.mark.usefixtures("core")
def test_states_that_hooks_are_given(command: Command, firmware: Path, tmp_path: Path) -> None:
    schema = oci_schemas.validator(STATE)
    told = tmp_path / "told"
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"cat >> {told}; echo >> {told}"]}
    hooks = {name: [hook] for name in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}
    command.run("create", "--bundle", write_bundle(tmp_path / "bundle", firmware, hooks=hooks), "motor")
    command.run("start", "motor")
    command.run("delete", "--force", "motor")
    states = [json.loads(line) for line in told.read_text().splitlines()]
    assert [state["status"] for state in states] == ["creating", "creating", "creating", "running", "stopped"]
    for state in states:
        schema.validate(state)


def test_list_holds_states(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    schema = oci_schemas.validator(STATE)
    pid = command.create(firmware, "motor")
    os.kill(pid, signal.SIGKILL)
    command.exit_code(pid)
    for entry in json.loads(command.run("list", "-f", "json").stdout):
        schema.validate(entry)
    assert core.boots == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (STATE, {"id": "x", "status": "running"}),
        (STATE, {"ociVersion": "1.3.0", "id": "x", "status": "running", "pid": -1, "bundle": "/b"}),
        (FEATURES, {"ociVersionMin": "1.0.0"}),
        (FEATURES, {"ociVersionMin": "1.0.0", "ociVersionMax": "1.3.0", "linux": {"namespaces": ["net"]}}),
    ],
)
def test_schemas_refuse_what_is_wrong(name: str, wrong: dict[str, Any]) -> None:
    """Also where they refer to other files: a schema whose references led nowhere would take anything."""
    with pytest.raises(ValidationError):
        oci_schemas.validator(name).validate(wrong)
