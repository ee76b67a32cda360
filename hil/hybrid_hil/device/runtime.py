"""The deployed runtime as an object: one method per verb of its command line."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.shell import CommandError, Completed, Shell


class DeployedRuntime:
    """`hybrid-runtime` on a board, driven over SSH. A verb that fails raises CommandError."""

    command = COMMAND

    def __init__(self, shell: Shell, heard: Callable[[Sequence[str], Completed], None] | None = None) -> None:
        """`heard` is told of each command that has ended, with its arguments."""
        self._shell = shell
        self._heard = heard

    def run(
        self,
        *arguments: str,
        check: bool = True,
        deadline: Deadline | None = None,
        stdin: bytes | None = None,
    ) -> Completed:
        """Runs the command with exactly these arguments."""
        completed = self._shell.run([self.command, *arguments], check=False, deadline=deadline, stdin=stdin)
        if self._heard is not None:
            self._heard(arguments, completed)
        if check and completed.exit_status != 0:
            raise CommandError(completed)
        return completed

    def create(
        self,
        container: str,
        firmware: BuiltFirmware | str,
        *,
        processor: str | None = None,
        annotations: Mapping[str, str] | None = None,
        check: bool = True,
        deadline: Deadline | None = None,
    ) -> Completed:
        """Creates a container from a firmware on the board, for `processor` or the one it was built for."""
        path = firmware if isinstance(firmware, str) else firmware.path_on_board
        wanted = processor if processor is not None or isinstance(firmware, str) else firmware.processor
        words = dict(annotations or {})
        if wanted is not None:
            words.setdefault("remoteproc.name", wanted)
        options = [word for key, value in words.items() for word in ("--annotation", f"{key}={value}")]
        return self.run("create", *options, path, container, check=check, deadline=deadline)

    def start(self, container: str, *, check: bool = True, deadline: Deadline | None = None) -> Completed:
        return self.run("start", container, check=check, deadline=deadline)

    def state(self, container: str, *, deadline: Deadline | None = None) -> dict[str, Any]:
        """The OCI state, as the runtime prints it."""
        state: dict[str, Any] = json.loads(self.run("state", container, deadline=deadline).stdout)
        return state

    def kill(
        self, container: str, signal: str = "TERM", *, check: bool = True, deadline: Deadline | None = None
    ) -> Completed:
        return self.run("kill", container, signal, check=check, deadline=deadline)

    def delete(
        self, container: str, force: bool = False, *, check: bool = True, deadline: Deadline | None = None
    ) -> Completed:
        options = ["--force"] if force else []
        return self.run("delete", *options, container, check=check, deadline=deadline)

    def logs(self, container: str, *, deadline: Deadline | None = None) -> list[str]:
        """What the firmware printed, line by line."""
        return self.run("logs", container, deadline=deadline).stdout.splitlines()

    def processors(self, *, deadline: Deadline | None = None) -> list[dict[str, Any]]:
        """The processors of the board, with their state and the container that holds each."""
        text = self.run("processors", "-f", "json", deadline=deadline).stdout
        processors: list[dict[str, Any]] = json.loads(text)
        return processors
