"""The power switch of a board on a stand: `power_switch.py FOLDER on|off`. FOLDER/command.json is what power means."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

# A stand whose test was killed goes dark by itself.
LONGEST_S = 900
GONE_S = 10.0


def switch_on(folder: Path) -> None:
    if running(folder):
        return
    command = json.loads((folder / "command.json").read_text())
    with (folder / "qemu.log").open("wb") as said:
        process = subprocess.Popen(
            ["timeout", "--signal=KILL", str(LONGEST_S), *command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    (folder / "pid").write_text(str(process.pid))


def switch_off(folder: Path) -> None:
    if running(folder):
        pid = int((folder / "pid").read_text())
        os.killpg(pid, signal.SIGKILL)
        end = time.monotonic() + GONE_S
        while running(folder) and time.monotonic() < end:
            time.sleep(0.05)
    (folder / "pid").unlink(missing_ok=True)


def running(folder: Path) -> bool:
    try:
        pid = int((folder / "pid").read_text())
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        # One that ends between open(2) and read(2) is the second.
        return False
    return state not in "ZX"


def main() -> None:
    folder, word = Path(sys.argv[1]), sys.argv[2]
    {"on": switch_on, "off": switch_off}[word](folder)


if __name__ == "__main__":
    main()
