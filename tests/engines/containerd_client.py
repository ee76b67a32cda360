"""`ctr`: containerd's own client, for one container `motor`."""

import re

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.shell import Completed, Shell
from tests.engines.firmware_image import archive

CALL_S = 120.0
STOPPED_S = 30.0
IMAGE = "localhost/motor:latest"
FILE = "/tmp/image.tar"


def ctr(shell: Shell, *words: str, check: bool = True) -> Completed:
    return shell.run(["ctr", *words], check=check, deadline=Deadline(CALL_S))


def put_image(shell: Shell, firmware: BuiltFirmware) -> None:
    """As IMAGE."""
    shell.put(archive(IMAGE, "/fw.elf", shell.get(firmware.path_on_board), ["/fw.elf"]), FILE)
    ctr(shell, "images", "import", FILE)
    shell.run(["rm", FILE])


def wait_until_stopped(shell: Shell) -> None:
    for _ in Deadline(STOPPED_S).ticks(0.2):
        if "STOPPED" in ctr(shell, "task", "ls").stdout:
            return
    raise AssertionError(ctr(shell, "task", "ls").stdout)


def remove(shell: Shell) -> int:
    """The exit code of the task, of which `ctr task rm` warns unless it is 0."""
    warned = re.search(r"non-zero exit code (\d+)", ctr(shell, "task", "rm", "motor").stderr)
    ctr(shell, "container", "rm", "motor")
    return int(warned[1]) if warned else 0
