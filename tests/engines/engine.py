"""podman and Docker on the board: the same words for both, as far as they have them."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.shell import Completed, Shell
from tests.engines.firmware_image import archive

# Programs of tens of megabytes on an emulated core.
CALL_S = 120.0
RUNTIME = "hybrid-runtime"
FIRMWARE = "/fw.elf"
# How `run` names a processor; Docker has --annotation from 24 on.
NAMING = {
    "podman": lambda processor: ["--annotation", f"remoteproc.name={processor}"],
    "docker": lambda processor: ["--env", f"REMOTEPROC_NAME={processor}"],
}
_numbers = itertools.count(1)


@dataclass
class Engine:
    """`usual` is what any `run` is given."""

    name: str
    shell: Shell
    usual: tuple[str, ...] = ()
    images: list[str] = field(default_factory=list)

    def call(self, *words: str, check: bool = True, deadline: Deadline | None = None) -> Completed:
        command = [self.name, *words]
        return self.shell.run(command, check=check, deadline=deadline or Deadline(CALL_S))

    def image_of(self, firmware: BuiltFirmware) -> str:
        """The name of a fresh image that holds it."""
        return self.image(FIRMWARE, self.shell.get(firmware.path_on_board), [FIRMWARE])

    def image(self, path: str, content: bytes, command: list[str]) -> str:
        tag = f"localhost/test-{next(_numbers)}:latest"
        file = "/tmp/image.tar"
        self.shell.put(archive(tag, path, content, command), file)
        self.call("load", "--input", file)
        self.shell.run(["rm", file])
        self.images.append(tag)
        return tag

    def run(
        self, container: str, image: str, *options: str, processor: str | None = None, check: bool = True
    ) -> Completed:
        """`run -d`."""
        named = NAMING[self.name](processor) if processor else []
        words = ("run", "--detach", "--name", container, "--runtime", RUNTIME, *self.usual, *named, *options)
        return self.call(*words, image, check=check)

    def inspect(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.call("inspect", "--type", "container", container).stdout)[0]
        return found

    def state(self, container: str) -> tuple[str, int]:
        """Status and exit code."""
        state = self.inspect(container)["State"]
        return str(state["Status"]), int(state["ExitCode"])

    def logs(self, container: str) -> list[str]:
        return self.call("logs", container).stdout.splitlines()

    def wait_for(self, container: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 30.0) -> None:
        """Until what `inspect` tells is as wanted."""
        deadline = Deadline(seconds)
        found = self.inspect(container)
        while not wanted(found) and not deadline.expired:
            found = self.inspect(container)
        assert wanted(found), found["State"]

    def wait_for_log(self, container: str, text: str, seconds: float = 30.0) -> list[str]:
        deadline = Deadline(seconds)
        lines = self.logs(container)
        while not any(text in line for line in lines) and not deadline.expired:
            lines = self.logs(container)
        assert any(text in line for line in lines), lines
        return lines

    def containers(self) -> list[str]:
        return self.call("ps", "--all", "--format", "{{.Names}}").stdout.split()

    def remove_everything(self) -> None:
        if self.name == "podman":
            # Their first containers cannot be removed by themselves.
            self.call("pod", "rm", "--all", "--force")
        for container in self.containers():
            self.call("rm", "--force", container)
        if self.images:
            self.call("rmi", "--force", *self.images, check=False)
            self.images.clear()
