"""One board for many tests: booted once, looked after in between, accounted for at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hybrid_hil.board import Board, ShellAccess
from hybrid_hil.console.alarm import alarm
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.bootwatch import BootWatch
from hybrid_hil.device.change import Change, changes, complaints, leaving
from hybrid_hil.device.cleaning import clean
from hybrid_hil.device.deployment import RuntimePayload, checkout_payload, deploy
from hybrid_hil.device.evidence import Evidence, collect, folder_name
from hybrid_hil.device.firmware import BuiltFirmware, upload_firmware
from hybrid_hil.device.inspection import StaleRuntimeError, require_deployed
from hybrid_hil.device.look import look, require_distinct
from hybrid_hil.failure import RigError
from hybrid_hil.report.record import Boot

CARE_S = 15.0
UPLOAD_S = 20.0
Told = Callable[[Sequence[Change]], None]


@dataclass
class Account:
    """What the tests of one worker cost their board; after those `renewed` it was restored or power cycled. `stale`:
    what was otherwise on boards that had another runtime, and were not taken. `kept`: the board came with a runtime
    of its own, which has been moved. `lost`: what could not be written, a line each."""

    boots: int = 0
    boot_s: float = 0.0
    restores: int = 0
    restore_s: float = 0.0
    cleaned: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    kept: bool = False
    lost: list[str] = field(default_factory=list)


class Rig:
    """A board with the runtime on it. Use it as a context manager: at its end nothing is left."""

    def __init__(self, board: Board) -> None:
        self._payload: RuntimePayload = checkout_payload()
        self._untouched = ""
        self._watch = BootWatch()
        self.account = Account()
        self.board = board
        # A folder of firmware that comes before the board's.
        self.own_firmware: Path | None = None
        board.provision = self._provision
        board.on_stage = self._watch.stage
        board.inspection = self._inspect

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, *exc: object) -> None:
        self.board.close()

    @property
    def boots(self) -> list[Boot]:
        """Every boot and restore so far, also those that failed; the list grows with them."""
        return self._watch.boots

    def boot(self) -> None:
        """Powers the board on, with the runtime deployed.

        Raises:
            RigError: it does not come up.
        """
        self._booted(self.board.power_on)

    def _booted(self, switch: Callable[[Deadline], None]) -> None:
        deadline, restores = Deadline(self.board.boot_s), self.board.restores
        with self._watch.boot():
            switch(deadline)
        took = deadline.seconds - deadline.remaining()
        if self.board.restores > restores:
            self.account.restores += 1
            self.account.restore_s += took
        else:
            self.account.boots += 1
            self.account.boot_s += took
        self._untouched = look(self.board, deadline)
        require_distinct(self._untouched, [core.name for core in self.board.cores])

    def firmware(self, name: str | Path, core: int = 0, nonce: bool = True) -> BuiltFirmware:
        """A firmware on the board, by its name or from a file, with a fresh nonce unless it has no place for one.

        Raises:
            MissingFirmwareError: this core has none of that name.
        """
        cores = self.board.cores
        if not 0 <= core < len(cores):
            raise RigError(f"the board `{self.board.name}` has no core `{core}`", f"it has {len(cores)}, from 0 on")
        shell, deadline = self.board.shell, Deadline(UPLOAD_S)
        return upload_firmware(
            shell, cores[core], name, core=core, nonce=nonce, deadline=deadline, own=self.own_firmware
        )

    def look_after(self, test: str, leaves: Sequence[str] = (), told: Told | None = None) -> list[Change]:
        """Checks the board after a test and makes it as it was: cleaned, or when that fails renewed. What begins with
        words of `leaves` stays, and belongs to the board from then on. `told` hears of what the kernel complains of
        while the board is still as the test left it.

        Returns what the test left behind.
        """
        try:
            self._require_alive()
            seen = look(self.board, Deadline(CARE_S))
            self._untouched = leaving(self._untouched, seen, leaves)
            found = changes(self._untouched, seen)
            self._tell(found, told)
            if not found:
                return []
            left = clean(self.board, self._untouched, found, Deadline(CARE_S))
        except RigError as error:
            found = left = self._silence(error)
            self._tell(found, told)
        if left:
            self.account.renewed.append(f"{test}: {'; '.join(map(str, left))}")
            self._booted(self.board.power_cycle)
        else:
            self.account.cleaned.append(f"{test}: {'; '.join(map(str, found))}")
        return found

    def _require_alive(self) -> None:
        """The connection to a board that has died may seem to be up, and then only a deadline ends a look."""
        if self.board.health.cause is not None:
            raise RigError(self.board.health.cause)

    def _silence(self, error: RigError) -> list[Change]:
        """A board that does not answer, and what its kernel said last when that is why."""
        cause = self.board.health.cause or ""
        died = [Change(f"kernel {cause}")] if alarm(cause) else []
        return [*died, Change(f"a board that does not answer: {error.message}")]

    def _tell(self, found: Sequence[Change], told: Told | None) -> None:
        if told is not None and (said := complaints(found)):
            told(said)

    def keep_evidence(self, test: str, folder: Path, report: str, marks: tuple[int, int]) -> Evidence:
        """Writes what is known about a failed test into a folder of its own; `marks` are the positions of
        both consoles when it began."""
        target = folder / folder_name(test)
        by_hand = f"the board by hand: {self.board.by_hand}\n"
        return collect(self.board, target, f"{report}\n\n{by_hand}", *marks)

    def _provision(self, board: ShellAccess, deadline: Deadline) -> None:
        """A board that has it, from an earlier run, is left as it is: compiling takes seconds there."""
        try:
            require_deployed(board.shell, self._payload, deadline)
        except StaleRuntimeError:
            self.account.kept |= deploy(board.shell, self._payload, deadline)

    def _inspect(self, board: ShellAccess, deadline: Deadline) -> None:
        """A board that was kept with another runtime is booted instead, and said to have been."""
        try:
            require_deployed(board.shell, self._payload, deadline)
        except StaleRuntimeError as error:
            self.account.stale.append(error.message)
            raise
