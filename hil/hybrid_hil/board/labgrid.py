"""A place of a labgrid farm as a board: labgrid says where it is and works its switch."""

import importlib
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid_hil.board.remote import RemoteDescription, SerialPort
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

CORE_CONSOLE = "core-console"
INSTALL = "install the rig with its extra: .venv/bin/pip install -e '.[labgrid]'"


class LabgridPower:
    """The switch of a target, which labgrid's own drivers work; they keep their own time limits."""

    def __init__(self, driver: Any) -> None:  # noqa: ANN401  labgrid's protocols are duck-typed
        self._driver = driver

    def on(self, deadline: Deadline) -> None:
        self._call("on", deadline)

    def off(self, deadline: Deadline) -> None:
        self._call("off", deadline)

    def cycle(self, deadline: Deadline) -> None:
        self._call("cycle", deadline)

    def _call(self, name: str, deadline: Deadline) -> None:
        execution_error = importlib.import_module("labgrid.driver.exception").ExecutionError
        try:
            getattr(self._driver, name)()
        except (execution_error, subprocess.CalledProcessError, OSError) as error:
            raise RigError(f"labgrid cannot switch the board {name}: {error}", "try: labgrid-client power") from error
        if deadline.expired:
            raise RigError(f"labgrid took more than {deadline.seconds:g} s to switch the board {name}")


def locate(settings: dict[str, str], folder: Path) -> Any:  # noqa: ANN401  labgrid's own Target
    """The target a board file names, its resources available.

    Raises:
        RigError: labgrid is not installed, or refuses its configuration.
    """
    try:
        labgrid = importlib.import_module("labgrid")
    except ImportError as error:
        raise RigError(f"this board needs labgrid: {error}", INSTALL, exit_code=2) from error
    environment = folder / Path(settings["environment"]).expanduser()
    name = settings.get("target", "main")
    try:
        target = labgrid.Environment(str(environment)).get_target(name)
    except (_errors().InvalidConfigError, _errors().NoConfigFoundError, _refusal(), OSError, KeyError) as error:
        raise RigError(f"labgrid refuses `{environment}`: {error}", "try it with labgrid-client -c") from error
    if target is None:
        raise RigError(f"`{environment}` has no target `{name}`", "name one of it in [labgrid] target", exit_code=2)
    return target


def ssh_of(target: Any) -> dict[str, Any]:  # noqa: ANN401
    """Host, port and user of its NetworkService. Raises RigError when it has none."""
    try:
        service = target.get_resource("NetworkService")
    except _errors().NoResourceFoundError as error:
        raise RigError(f"the labgrid target has no NetworkService: {error}", "SSH needs one") from error
    return {"host": service.address, "port": service.port or 22, "user": service.username}


def equipped(found: RemoteDescription, target: Any) -> RemoteDescription:  # noqa: ANN401
    """With the serial lines and the switch of a target, as far as it has them."""
    return replace(
        found,
        console=_serial_port(target, None) or found.console,
        core_console=_serial_port(target, CORE_CONSOLE) or found.core_console,
        power=_power(target) or found.power,
    )


def _serial_port(target: Any, name: str | None) -> SerialPort | None:  # noqa: ANN401
    """The core console is the one of that name; Linux' is any other."""
    for resource in target.resources:
        if (resource.name == CORE_CONSOLE) != (name == CORE_CONSOLE):
            continue
        match type(resource).__name__:
            case "RawSerialPort":
                return SerialPort(resource.port, resource.speed)
            case "NetworkSerialPort":
                scheme = "socket" if resource.protocol == "raw" else "rfc2217"
                return SerialPort(f"{scheme}://{resource.host}:{resource.port}", resource.speed)
    return None


def _power(target: Any) -> LabgridPower | None:  # noqa: ANN401
    try:
        return LabgridPower(target.get_driver("PowerProtocol"))
    except (_errors().NoDriverFoundError, _errors().NoSupplierFoundError):
        return None


def _refusal() -> type[Exception]:
    """What labgrid raises for a coordinator that refuses, or a place nobody has acquired."""
    error: type[Exception] = importlib.import_module("labgrid.remote.client").Error
    return error


def _errors() -> Any:  # noqa: ANN401
    return importlib.import_module("labgrid.exceptions")
