"""Runs on the board: sends numbered lines to RPMsg devices at once, each the next when its echo is back.

    python3 rpmsg_client.py COUNT DEVICE…

Prints the number of round trips and, in milliseconds, the shortest, the median, the 95th percentile and the longest.
"""

import os
import select
import sys
import termios
import time

STALLED_S = 20.0


class Device:
    """One device, with one message under way."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.received = b""
        self.done = 0
        self.sent_at = 0.0
        if os.isatty(self.descriptor):
            settings = termios.tcgetattr(self.descriptor)
            settings[0] = settings[1] = settings[3] = 0
            termios.tcsetattr(self.descriptor, termios.TCSANOW, settings)

    @property
    def line(self) -> bytes:
        return f"{self.path.rpartition('/')[2]} says {self.done}".encode()

    def send(self) -> None:
        self.sent_at = time.monotonic()
        os.write(self.descriptor, self.line + b"\n")

    def receive(self) -> list[float]:
        """The round trips that ended: none or one. The firmware's own beats are no echo."""
        self.received += os.read(self.descriptor, 4096)
        *lines, self.received = self.received.split(b"\n")
        echoes = [line for line in lines if b" beat=" not in line]
        if not echoes:
            return []
        if echoes != [self.line]:
            sys.exit(f"{self.path} gave {echoes} for {self.line!r}")
        self.done += 1
        return [time.monotonic() - self.sent_at]


def main() -> None:
    count = int(sys.argv[1])
    busy = {device.descriptor: device for device in map(Device, sys.argv[2:])}
    times: list[float] = []
    for device in busy.values():
        device.send()
    while busy:
        ready, _, _ = select.select(list(busy), [], [], STALLED_S)
        if not ready:
            sys.exit("stalled: " + ", ".join(f"{device.path} after {device.done}" for device in busy.values()))
        for descriptor in ready:
            device = busy[descriptor]
            ended = device.receive()
            times += ended
            if device.done == count:
                del busy[descriptor]
            elif ended:
                device.send()
    times.sort()
    figures = (times[0], times[len(times) // 2], times[len(times) * 95 // 100], times[-1])
    print(len(times), *(f"{1000 * figure:.2f}" for figure in figures))


main()
