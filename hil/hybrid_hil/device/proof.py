"""Proof that a core ran, went on, and stopped: decided from what the core itself said on its console."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hybrid_hil.console import Console, ConsoleError, Line
from hybrid_hil.deadline import Deadline, patience
from hybrid_hil.device.firmware import BuiltFirmware

NOMINAL_PERIOD_S = 0.1
PERIODS_OF_SILENCE = 3
LOOK_AGAIN_S = 0.1
RECENT_BEATS = 20
SILENCE = "heartbeat silent after the stop"

_START = re.compile(r"^(?P<speaker>\S+) (?P<firmware>[\w-]+) boot=(?P<boot>\d+) nonce=(?P<nonce>\S+)$")
_BEAT = re.compile(r"^(?P<speaker>\S+) beat=(?P<number>\d+)$")


class UnprovenError(AssertionError):
    """Something is not proven; `check` names what."""

    def __init__(self, check: str, message: str) -> None:
        super().__init__(f"unproven: {check}: {message}")
        self.check = check


@dataclass(frozen=True)
class CoreStart:
    """The first line a firmware writes: `boot` counts the starts of its core since the board has power."""

    speaker: str
    firmware: str
    boot: int
    nonce: str
    monotonic: float


@dataclass(frozen=True)
class Beat:
    """One line of a heartbeat, with its arrival in seconds."""

    number: int
    monotonic: float


def core_starts(lines: Iterable[Line], speaker: str | None = None) -> list[CoreStart]:
    """Every start among the lines, of one speaker or of all."""
    found = [(line, _START.match(line.text)) for line in lines]
    starts = [
        CoreStart(match["speaker"], match["firmware"], int(match["boot"]), match["nonce"], line.monotonic)
        for line, match in found
        if match is not None
    ]
    return [start for start in starts if speaker in (None, start.speaker)]


def beats(lines: Iterable[Line], speaker: str) -> list[Beat]:
    """The heartbeat of one core."""
    found = [(line, _BEAT.match(line.text)) for line in lines]
    return [Beat(int(m["number"]), line.monotonic) for line, m in found if m is not None and m["speaker"] == speaker]


def heartbeat_period(heard: Sequence[Beat]) -> float:
    """The longest recent pause between two beats in seconds, never below the nominal one: on a loaded host
    a core that runs may be slow, and must not be taken for silent. The time between two runs is no pause."""
    pairs = pairwise(heard[-RECENT_BEATS:])
    pauses = [later.monotonic - earlier.monotonic for earlier, later in pairs if later.number == earlier.number + 1]
    return max([NOMINAL_PERIOD_S, *pauses])


def check_rising(starts: Sequence[CoreStart], count: int) -> None:
    """One line for each of `count` starts, each with the number after the one before.

    Raises:
        UnprovenError: they are not.
    """
    numbers = [start.boot for start in starts]
    if len(numbers) != count or any(later != earlier + 1 for earlier, later in pairwise(numbers)):
        raise UnprovenError("rising boot numbers", f"{count} starts, but the core counted `{numbers}`")


class Witness:
    """Waits for the proofs a lifecycle needs, on the cores' console."""

    def __init__(self, core_console: Console) -> None:
        self._console = core_console

    def started(self, firmware: BuiltFirmware, deadline: Deadline, since: int | None = None) -> CoreStart:
        """The core said this very firmware's nonce.

        Raises:
            UnprovenError: it did not by the deadline.
        """
        pattern = (
            rf"^{re.escape(firmware.speaker)} {re.escape(firmware.name)} boot=\d+ nonce={re.escape(firmware.nonce)}$"
        )
        check = "nonce on the core's console"
        if not firmware.nonce:
            raise UnprovenError(check, f"firmware `{firmware.name}` has no nonce that could prove anything")
        try:
            self._console.expect(pattern, deadline, since)
        except ConsoleError as error:
            raise UnprovenError(check, str(error)) from error
        starts = core_starts(self._console.lines(since), firmware.speaker)
        found = [start for start in starts if start.nonce == firmware.nonce]
        if not found:
            said = ", ".join(f"`{start.nonce}`" for start in starts) or "none at all"
            raise UnprovenError(check, f"{firmware.speaker} said {said}, and not `{firmware.nonce}`")
        return found[0]

    def started_again(self, firmware: BuiltFirmware, count: int, deadline: Deadline) -> list[CoreStart]:
        """The core said this firmware's nonce `count` times since the board has power, each start numbered after the
        one before.

        Raises:
            UnprovenError: it did not by the deadline, or more often.
        """
        starts: list[CoreStart] = []
        for _ in deadline.ticks(LOOK_AGAIN_S):
            heard = core_starts(self._console.lines(), firmware.speaker)
            starts = [start for start in heard if start.nonce == firmware.nonce]
            if len(starts) >= count:
                break
        check_rising(starts, count)
        return starts

    def logged(self, logs: Iterable[str], firmware: BuiltFirmware) -> None:
        """The container's logs hold the firmware's nonce.

        Raises:
            UnprovenError: they do not.
        """
        said = list(logs)
        if not firmware.nonce or not any(f"nonce={firmware.nonce}" in line.split() for line in said):
            tail = "\n".join(said[-5:]) or "they are empty"
            raise UnprovenError("nonce in the container's logs", f"no `nonce={firmware.nonce}` there: {tail}")

    def beating(self, firmware: BuiltFirmware, deadline: Deadline, count: int = 3) -> list[Beat]:
        """`count` further beats arrive from now on.

        Raises:
            UnprovenError: they do not by the deadline.
        """
        since = self._console.mark()
        try:
            self._console.expect(rf"(?:^{re.escape(firmware.speaker)} beat=\d+\n[^\0]*?){{{count}}}", deadline, since)
        except ConsoleError as error:
            raise UnprovenError("heartbeat on the core's console", str(error)) from error
        return beats(self._console.lines(since), firmware.speaker)

    def silent(self, firmware: BuiltFirmware) -> float:
        """The core says nothing for three periods of its heartbeat; returns that time in seconds.

        A line that was on its way may still arrive during the first period. A console that nobody listens to, or not
        all the time, is silent whatever the core does.

        Raises:
            UnprovenError: it goes on, or would not have been heard.
        """
        period = heartbeat_period(beats(self._console.lines(), firmware.speaker))
        since, begun = self._console.mark(), time.monotonic()
        quiet = Deadline(PERIODS_OF_SILENCE * period)
        for _ in quiet.ticks(period / 4):
            self._require_wired()
            later = [line for line in self._console.lines(since) if line.monotonic > begun + period * patience()]
            spoken = [line.text for line in later if line.text.startswith(f"{firmware.speaker} ")]
            if spoken:
                message = f"{firmware.speaker} still says `{spoken[-1]}`"
                raise UnprovenError(SILENCE, message)
        return quiet.seconds

    def _require_wired(self) -> None:
        if not self._console.wired:
            raise UnprovenError(SILENCE, "the cores' console is closed, nobody is heard")
