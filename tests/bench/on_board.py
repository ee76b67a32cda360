"""Runs on the board, with its own Python: measures what SSH would blur, and prints one JSON object.

usage: on_board.py MEASUREMENT FIRMWARE PROCESSOR COUNT
"""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

COMMAND = "/usr/bin/hybrid-runtime"
KERNEL_LOG = Path("/dev/kmsg")
HIDDEN_KERNEL_LOG = Path("/dev/kmsg.hidden")
LONGEST_SECONDS = 20.0
# So long a supervisor looks more often, after its start and after output.
BUSY_SECONDS = 2.5
BARE_LOOP = """
import os, select, sys
waiting = select.poll()
while True:
    waiting.poll(250)
    descriptor = os.open(sys.argv[1], os.O_RDONLY)
    os.read(descriptor, 4096)
    os.close(descriptor)
"""


class Container:
    """Created from one firmware for one processor."""

    def __init__(self, firmware: str, processor: str, identifier: str = "bench") -> None:
        self.firmware = firmware
        self.processor = processor
        self.identifier = identifier

    def verb(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [COMMAND, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def must(self, *words: str) -> str:
        process = self.verb(*words)
        stdout, stderr = process.communicate()
        if process.returncode:
            raise SystemExit(f"{words}: {process.returncode}: {stderr}")
        return stdout

    def create(self) -> None:
        annotation = f"remoteproc.name={self.processor}"
        self.must("create", "--annotation", annotation, self.firmware, self.identifier)

    def state(self) -> dict[str, object]:
        state: dict[str, object] = json.loads(self.must("state", self.identifier))
        return state

    def start(self) -> int:
        """The pid of the supervisor."""
        self.create()
        self.must("start", self.identifier)
        return int(str(self.state()["pid"]))

    def delete(self) -> None:
        self.must("delete", "--force", self.identifier)


def device_of(processor: str) -> str:
    for name in Path("/sys/class/remoteproc").glob("remoteproc*/name"):
        if name.read_text().strip() == processor:
            return name.parent.name
    raise SystemExit(f"no processor {processor}")


def seconds_to_end(pid: int, device: str) -> float:
    """From the injected crash to the end of the process."""
    process = os.pidfd_open(pid)
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    injection = os.open(f"/sys/kernel/debug/remoteproc/{device}/crash", os.O_WRONLY)
    begun = time.monotonic()
    os.write(injection, b"1")
    os.close(injection)
    if not waiting.poll(LONGEST_SECONDS * 1000):
        raise SystemExit(f"process {pid} outlives its core")
    seconds = time.monotonic() - begun
    os.close(process)
    return seconds


def crashes(container: Container, count: int) -> list[float]:
    device = device_of(container.processor)
    found = []
    for _ in range(count):
        pid = container.start()
        # Past its faster ticks after a start, at any point of the slow ones.
        time.sleep(BUSY_SECONDS + int.from_bytes(os.urandom(1)) / 1024)
        found.append(seconds_to_end(pid, device))
        container.delete()
    return found


def crashes_by_tick(container: Container, count: int) -> list[float]:
    """As where /dev/kmsg cannot be opened: it is out of the way while supervisors are born."""
    KERNEL_LOG.rename(HIDDEN_KERNEL_LOG)
    try:
        return crashes(container, count)
    finally:
        HIDDEN_KERNEL_LOG.rename(KERNEL_LOG)


def lost_starts(container: Container, count: int) -> dict[str, int]:
    lost = 0
    state = Path("/sys/class/remoteproc", device_of(container.processor), "state")
    for _ in range(count):
        container.create()
        container.must("start", container.identifier)
        lost += state.read_text().strip() != "running"
        container.delete()
    return {"starts": count, "lost": lost}


def contenders(container: Container, count: int) -> dict[str, int]:
    """How many of so many at once succeed: creates of one id, then starts on one core."""
    annotation = f"remoteproc.name={container.processor}"
    words = ["create", "--annotation", annotation, container.firmware, container.identifier]
    creates = [container.verb(*words) for _ in range(count)]
    created = sum(process.wait() == 0 for process in creates)
    starts = [container.verb("start", container.identifier) for _ in range(count)]
    started = sum(process.wait() == 0 for process in starts)
    container.delete()
    return {"created": created, "started": started}


def ticks(pid: int) -> int:
    """User and system time, in USER_HZ."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def supervisor(container: Container, seconds: int) -> dict[str, float]:
    """A quiet one, beside a loop that only waits and reads."""
    pid = container.start()
    state = f"/sys/class/remoteproc/{device_of(container.processor)}/state"
    bare = subprocess.Popen([sys.executable, "-IS", "-c", BARE_LOOP, state])
    time.sleep(BUSY_SECONDS)
    before = ticks(pid), ticks(bare.pid)
    time.sleep(seconds)
    after = ticks(pid), ticks(bare.pid)
    bare.kill()
    bare.wait()
    memory = {
        line.split(":")[0]: int(line.split()[1])
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    }
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    container.delete()
    return {
        "private_dirty_kib": memory["Private_Dirty"],
        "threads": threads,
        "ticks": after[0] - before[0],
        "bare_ticks": after[1] - before[1],
    }


MEASUREMENTS = {
    "crashes": crashes,
    "crashes-by-tick": crashes_by_tick,
    "lost-starts": lost_starts,
    "contenders": contenders,
    "supervisor": supervisor,
}


def main() -> None:
    name, firmware, processor, count = sys.argv[1:]
    json.dump(MEASUREMENTS[name](Container(firmware, processor), int(count)), sys.stdout)


if __name__ == "__main__":
    main()
