"""A board of one's own: reached over SSH, watched over serial lines, switched by its power commands."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.board.board import Provision
from hybrid_hil.board.lease import Lease
from hybrid_hil.board.power import Power
from hybrid_hil.board.processor import Processor
from hybrid_hil.board.stages import CONSOLE, POWER, REACH, Stage, StageError, cause_of
from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import Console
from hybrid_hil.console.serial_line import open_line
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Address, Shell, ShellError

BOOT_ID = "/proc/sys/kernel/random/boot_id"
BETWEEN_LOOKS_S = 0.5
LOOK_S = 15.0
ASK_S = 5.0


@dataclass(frozen=True)
class SerialPort:
    """A serial line: a URL of pyserial's, and bits per second where that means something."""

    url: str
    baud: int


@dataclass(frozen=True)
class RemoteDescription:
    """What a board file says. `boot_s` is how long the board takes from power to SSH at most; on an `exclusive` one
    nothing runs but the rig."""

    name: str
    address: Address
    become: tuple[str, ...]
    cores: tuple[Processor, ...]
    boot_s: float
    exclusive: bool = False
    console: SerialPort | None = None
    core_console: SerialPort | None = None
    power: Power | None = None


class RemoteBoard:
    """A board somewhere. It is held for this run alone, and left with its power on at the end."""

    def __init__(self, description: RemoteDescription, *, logs: Path, provision: Provision | None = None) -> None:
        """Raises RigError while another run of this host holds the board. Console logs go to `logs`."""
        self._description = description
        self._lease = Lease(description.name, description.address)
        self._lease.take_here()
        self.provision = provision
        self.inspection: Provision | None = None
        self.on_stage: Callable[[str], None] | None = None
        self.health = BoardHealth()
        self.console = Console("console", self.health, log=logs / "console.log", watched=True)
        self.core_console = Console("core console", self.health, log=logs / "core-console.log")
        self.shell = Shell(self.health, description.become)
        self.shell.after_connect = lambda deadline: self._lease.take_there(self.shell, deadline)
        self.boots = 0
        self.restores = 0
        self._boot = ""
        self._is_off = False

    def __enter__(self) -> "RemoteBoard":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        return self._description.name

    @property
    def boot_s(self) -> float:
        """With what it takes to work the switch and to open the lines."""
        return self._description.boot_s + POWER.seconds + CONSOLE.seconds

    @property
    def cores(self) -> tuple[Processor, ...]:
        return self._description.cores

    @property
    def exclusive(self) -> bool:
        return self._description.exclusive

    @property
    def address(self) -> Address:
        return self._description.address

    @property
    def by_hand(self) -> str:
        """The ssh command line that reaches the board."""
        address = self.address
        identity = ["-i", str(address.login_key)] if address.login_key else []
        return shlex.join(["ssh", *identity, "-p", str(address.port), f"{address.user}@{address.host}"])

    def power_on(self, deadline: Deadline) -> None:
        """Switches the board on where it has a switch, opens its lines, waits for SSH, then provisions.

        Raises:
            StageError: a stage failed.
            RigError: a run of another host holds the board.
        """
        power = self._description.power
        self._ask_for_it(deadline)
        self._bring_up(deadline, power.on if power else lambda _: None, self._boot if self._is_off else "")

    def power_off(self) -> None:
        power = self._power()
        self._is_off = True
        power.off(Deadline(POWER.seconds))
        self._let_go()
        self.health.report("the board is powered off")

    def power_cycle(self, deadline: Deadline) -> None:
        """By the switch, else by a reboot; either is proven by Linux' boot id.

        Raises:
            StageError: it does not come back, or nothing says that it had been away.
        """
        power = self._description.power
        self._bring_up(deadline, power.cycle if power else self._reboot, self._boot)

    def close(self) -> None:
        """Lets go of the board, with its power on."""
        try:
            if self._is_off:
                self._power().on(Deadline(POWER.seconds))
        finally:
            self._let_go()
            self._lease.release()
            self.console.close()
            self.core_console.close()

    @property
    def has_switch(self) -> bool:
        return self._description.power is not None

    def _ask_for_it(self, deadline: Deadline) -> None:
        """Before anything of a board that runs is touched, in case a run of another host has it. One that does not
        answer has to be switched on to be asked."""
        if self._is_off:
            return
        try:
            self.shell.connect(self.address, deadline.after(ASK_S))
        except ShellError:
            return

    def _bring_up(self, deadline: Deadline, switch: Callable[[Deadline], None], boot_before: str = "") -> None:
        stage = POWER
        try:
            self._tell(stage.name)
            switch(deadline.after(stage.seconds))
            self._let_go()
            self.health.reset()
            stage = CONSOLE
            self._tell(stage.name)
            self._open_lines(deadline.after(stage.seconds))
            stage = REACH
            self._tell(stage.name)
            self._reach(deadline.after(self._description.boot_s), boot_before)
        except RigError as error:
            raise self._stage_error(stage, error) from error
        self._is_off = False
        self.boots += 1
        if self.provision is not None:
            self._tell("provision")
            self.provision(self, deadline)
        if self.inspection is not None:
            self.inspection(self, deadline)

    def _open_lines(self, deadline: Deadline) -> None:
        for console, port in (
            (self.console, self._description.console),
            (self.core_console, self._description.core_console),
        ):
            if port is not None:
                console.attach(open_line(port.url, port.baud, deadline))

    def _reach(self, deadline: Deadline, boot_before: str) -> None:
        """Until SSH answers, from another boot than the one before."""
        for _ in deadline.ticks(BETWEEN_LOOKS_S):
            self.shell.connect(self.address, deadline)
            self._boot = self._boot_id(deadline)
            if self._boot and self._boot != boot_before:
                return
        raise RigError("it never went down: its boot id is still the same", "see what its power commands switch")

    def _boot_id(self, deadline: Deadline) -> str:
        """Empty for a board that does not answer."""
        try:
            return self.shell.get(BOOT_ID, deadline=deadline.after(LOOK_S)).decode().strip()
        except ShellError:
            return ""

    def _reboot(self, deadline: Deadline) -> None:
        """A moment later, so that the answer still arrives."""
        if not self.shell.connected:
            self.shell.connect(self.address, deadline)
        self.shell.run("(sleep 1; reboot) >/dev/null 2>&1 </dev/null &", deadline=deadline)

    def _power(self) -> Power:
        power = self._description.power
        if power is None:
            raise RigError(f"the board `{self.name}` has no switch", "give its file a [power] section")
        return power

    def _let_go(self) -> None:
        self.shell.close()
        self.console.detach()
        self.core_console.detach()

    def _tell(self, stage: str) -> None:
        if self.on_stage is not None:
            self.on_stage(stage)

    def _stage_error(self, stage: Stage, error: RigError) -> StageError:
        evidence = [self.console.tail()] if self._description.console else []
        return StageError(
            stage, cause_of(error, self.health), "\n".join([*filter(None, [error.remedy]), *evidence]), self.by_hand
        )
