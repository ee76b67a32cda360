"""Board files: TOML that says how a board is reached, and mistakes in it told with their line."""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from hybrid_hil.board import labgrid
from hybrid_hil.board.power import CommandPower
from hybrid_hil.board.processor import USUAL_FEATURES, Processor
from hybrid_hil.board.remote import RemoteDescription, SerialPort
from hybrid_hil.console.serial_line import BAUD
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Address, ShellError
from hybrid_hil.shell.connection import host_key

REMOTE = "remote"
SCHEMA = "board-file.schema.json"
SUFFIX = ".toml"
BOOT_S = 120.0
SSH_PORT = 22
FIRMWARE = "firmware"

Place = Sequence[str | int]


def read_board_file(path: Path) -> RemoteDescription:
    """The board a file describes; paths in it are relative to its folder.

    Raises:
        RigError: it cannot be read or has mistakes, each told with its line; exit code 2.
    """
    content = _parsed(path)
    if content["kind"] == REMOTE:
        return _description(content, path)
    target = labgrid.locate(content["labgrid"], path.absolute().parent)
    content["ssh"] = labgrid.ssh_of(target) | content["ssh"]
    return labgrid.equipped(_description(content, path), target)


def _description(content: dict[str, Any], path: Path) -> RemoteDescription:
    """From content that the schema has seen and that says where SSH is."""
    folder, ssh = path.absolute().parent, content["ssh"]
    return RemoteDescription(
        name=content["name"],
        address=Address(
            ssh["host"],
            ssh.get("port", SSH_PORT),
            ssh["host-key"],
            _at(folder, ssh["login-key"]) if "login-key" in ssh else None,
            ssh.get("user", "root"),
            ssh.get("password"),
        ),
        become=tuple(ssh.get("become", ())),
        cores=tuple(_processor(folder, entry) for entry in content["processors"]),
        boot_s=content.get("boot-seconds", BOOT_S),
        exclusive=content.get("exclusive", False),
        console=_serial_port(content.get("console")),
        core_console=_serial_port(content.get("core-console")),
        power=_power(folder, content.get("power")),
    )


def _serial_port(section: dict[str, Any] | None) -> SerialPort | None:
    return None if section is None else SerialPort(section["url"], section.get("baud", BAUD))


def mistakes(content: dict[str, Any], text: str) -> list[str]:
    """What is wrong, in the order of lines, each as `line N: where: what`."""
    wrong = list(_violations(content)) or list(_contradictions(content))
    found = {(line_of(text, place), _dotted(place), what) for place, what in wrong}
    return [f"line {line}: {where}: {what}" if where else f"line {line}: {what}" for line, where, what in sorted(found)]


def line_of(text: str, place: Place) -> int:
    """The line where a key stands, or its nearest table; the schema nests no deeper than a key in a table."""
    best, wanted = 1, tuple(place)
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header["name"].strip().strip("\"'")
            index = counts[name] = counts.get(name, -1) + 1
            table = (name, index) if header["array"] else (name,)
            best = number if table == wanted[: len(table)] else best
        elif (key := _KEY.match(line)) and (*table, key["name"].strip("\"'")) == wanted[: len(table) + 1]:
            return number
    return best


_HEADER = re.compile(r"^\s*\[(?P<array>\[)?(?P<name>[^\[\]]+)\]")
_KEY = re.compile(r"^\s*(?P<name>[\w-]+|\"[^\"]+\"|'[^']+')\s*=")


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
        content = tomllib.loads(text)
    except OSError as error:
        raise RigError(
            f"the board file `{path}` cannot be read: {error.strerror}", "see docs/boards.md", exit_code=2
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RigError(f"the board file `{path}` is no TOML: {error}", "see docs/boards.md", exit_code=2) from error
    found = mistakes(content, text)
    if found:
        raise RigError(f"the board file `{path}` has mistakes", "\n".join([*found, "see docs/boards.md"]), exit_code=2)
    return content


def _violations(content: dict[str, Any]) -> Iterable[tuple[Place, str]]:
    for error in jsonschema.Draft202012Validator(_schema()).iter_errors(content):
        place: list[str | int] = list(error.absolute_path)
        unknown = re.findall(r"'([^']+)'", error.message) if error.validator == "additionalProperties" else []
        if unknown:
            allowed = ", ".join(error.schema["properties"])
            yield from (([*place, name], f"there is no such key; known are {allowed}") for name in unknown)
        elif error.validator == "pattern" and "description" in error.schema:
            yield place, f"`{error.instance}` is not {error.schema['description']}"
        elif error.validator == "type" and error.validator_value == "array" and isinstance(error.instance, dict):
            yield place, f"there may be several: write [[{place[-1]}]]"
        elif error.validator == "not":
            yield place, "does not belong into a board of this kind"
        else:
            yield place, error.message


def _contradictions(content: dict[str, Any]) -> Iterable[tuple[Place, str]]:
    """What no schema tells, of content that keeps to it."""
    try:
        host_key(content["ssh"]["host-key"])
    except ShellError as error:
        yield ["ssh", "host-key"], f"{error.message}; {error.remedy}"
    names = [entry["name"] for entry in content["processors"]]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ["processors", index, "name"], f"there is a `{name}` already"


def _dotted(place: Place) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in place)


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files(__package__).joinpath(SCHEMA).read_text())
    return schema


def _processor(folder: Path, entry: dict[str, Any]) -> Processor:
    name = entry["name"]
    features = frozenset(entry.get("features", USUAL_FEATURES))
    return Processor(name, _at(folder, entry.get("firmware", FIRMWARE)), entry.get("speaker", name), features)


def _power(folder: Path, section: dict[str, Any] | None) -> CommandPower | None:
    if section is None:
        return None
    cycle = section.get("cycle")
    return CommandPower(tuple(section["on"]), tuple(section["off"]), tuple(cycle) if cycle else None, folder)


def _at(folder: Path, path: str) -> Path:
    return folder / Path(path).expanduser()
