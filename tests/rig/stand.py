"""The emulated board on a stand of its own, as a real one is: SSH and serial lines on ports of this host, and a switch.

Nothing of `QemuBoard` is in the way, so that what reaches it is what reaches real boards.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from hybrid_hil.board.command_line import Payload, Wires, qemu_command_line
from hybrid_hil.board.layout import TWO_CORES
from hybrid_hil.image import Image
from tests.free_ports import free_ports

SWITCH = Path(__file__).with_name("power_switch.py")


class Stand:
    """Dark until it is switched on; `close` takes the power away."""

    def __init__(self, image: Image, folder: Path) -> None:
        self.image = image
        self.folder = folder
        self.ssh, self.console, self.core_console = free_ports(3)
        (folder / "command.json").write_text(json.dumps(self._command()))

    def switch(self, word: str) -> list[str]:
        return [sys.executable, str(SWITCH), str(self.folder), word]

    def board_file(self, **changes: str) -> Path:
        """Its board file; `changes` replace whole sections."""
        sections = self.sections() | changes
        path = self.folder / "board.toml"
        path.write_text("\n".join(sections.values()))
        return path

    def sections(self) -> dict[str, str]:
        firmware = self.image.platform / "firmware"
        cores = zip(TWO_CORES.processors, TWO_CORES.firmware, TWO_CORES.speakers, strict=True)
        return {
            "head": 'name = "stand"\nkind = "remote"\nboot-seconds = 60\n',
            "ssh": self.ssh_section(f'host = "127.0.0.1"\nport = {self.ssh}\n'),
            "console": f'[console]\nurl = "socket://127.0.0.1:{self.console}"\n',
            "core-console": f'[core-console]\nurl = "socket://127.0.0.1:{self.core_console}"\n',
            "power": f"[power]\non = {json.dumps(self.switch('on'))}\noff = {json.dumps(self.switch('off'))}\n",
            "processors": "".join(
                f'[[processors]]\nname = "{name}"\nfirmware = "{firmware / folder}"\nspeaker = "{speaker}"\n'
                for name, folder, speaker in cores
            ),
        }

    def ssh_section(self, place: str) -> str:
        host_key = " ".join(self.image.host_key.read_text().split()[:2])
        return f'[ssh]\n{place}host-key = "{host_key}"\nlogin-key = "{self.image.login_key}"\n'

    def close(self) -> None:
        subprocess.run(self.switch("off"), check=True)

    def _command(self) -> list[str]:
        """The board's own command line, its lines on TCP ports that wait for nobody."""
        platform = self.image.platform
        payload = Payload(
            layout=TWO_CORES,
            monitor=platform / "monitor.elf",
            kernel=self.image.kernel,
            devicetree=platform / TWO_CORES.devicetree,
            trampoline=platform / f"trampoline-{TWO_CORES.name}.bin",
            disk=self.image.disk,
        )
        served = {"console": self.console, "core-console": self.core_console}
        command = qemu_command_line(payload, Wires(Path("console"), Path("core"), Path("qmp")))
        wired = command[: command.index("-mon") - 2]
        # A real board that reboots comes back.
        wired.remove("-no-reboot")
        return [self._on_port(word, served) for word in wired]

    def _on_port(self, word: str, served: dict[str, int]) -> str:
        if chardev := re.match(r"socket,id=([a-z-]+),path=", word):
            return f"socket,id={chardev[1]},host=127.0.0.1,port={served[chardev[1]]},server=on,wait=off"
        return word.replace("hostfwd=tcp:127.0.0.1:0-", f"hostfwd=tcp:127.0.0.1:{self.ssh}-")
