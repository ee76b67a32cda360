"""The emulated board."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hybrid_hil.board import snapshot
from hybrid_hil.board.board import Provision
from hybrid_hil.board.command_line import Payload, command_line_by_hand, qemu_command_line
from hybrid_hil.board.keeping import Keeping
from hybrid_hil.board.layout import Layout, require_driver
from hybrid_hil.board.machine import Machine, is_power_off
from hybrid_hil.board.options import QemuOptions, payload_of, snapshot_key
from hybrid_hil.board.processor import Processor
from hybrid_hil.board.run_folder import RunFolder, RunInfo, runs_root
from hybrid_hil.board.settling import settle
from hybrid_hil.board.snapshot import Snapshot, SnapshotCache, make_overlay
from hybrid_hil.board.stages import FIRMWARE, INIT, KERNEL, NETWORK, SSH, Stage, StageError, cause_of, follow
from hybrid_hil.board_health import BoardHealth, ending
from hybrid_hil.console import Console, ConsoleError
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.host.emulator import chosen_qemu, version_of
from hybrid_hil.image import Image
from hybrid_hil.shell import Address, Shell

BOOT_S = 180.0
MARKER_GRACE_S = 2.0
RESTORE_S = 60.0


class QemuBoard:
    """A board in QEMU. Use it as a context manager: at its end QEMU and its folder are gone."""

    exclusive = True
    has_switch = True
    boot_s = BOOT_S

    def __init__(
        self,
        image: Image,
        options: QemuOptions | None = None,
        *,
        owner: str = "hil",
        logs: Path | None = None,
        provision: Provision | None = None,
        snapshots: SnapshotCache | None = None,
    ) -> None:
        """Console logs go to `logs`, default the run folder. Boards are kept in `snapshots`, default the cache's.
        `on_stage` may be set to what shall be told the name of each stage as it begins."""
        self._image = image
        self._options = options or QemuOptions()
        require_driver(self._options.layout, image)
        self._qemu = self._options.qemu or chosen_qemu(None)
        self._owner = owner
        self.provision = provision
        self.inspection: Provision | None = None
        self.on_stage: Callable[[str], None] | None = None
        self._folder = RunFolder.make(runs_root())
        self._machine: Machine | None = None
        logs = logs or self._folder.path
        self.health = BoardHealth()
        self.console = Console("console", self.health, log=logs / "console.log", watched=True)
        self.core_console = Console("core console", self.health, log=logs / "core-console.log")
        self.shell = Shell(self.health)
        self.boots = 0
        self.restores = 0
        self._keeping: Keeping | None = None
        if self._options.kept:
            key = snapshot_key(image, self._options, version_of(self._qemu))
            self._keeping = Keeping(self._folder.path, snapshots or SnapshotCache(), key)

    def __enter__(self) -> "QemuBoard":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The name of its run folder, by which `hil ssh --board` finds it."""
        return self._folder.path.name

    @property
    def layout(self) -> Layout:
        return self._options.layout

    @property
    def cores(self) -> tuple[Processor, ...]:
        return self.layout.cores(self._image.platform)

    @property
    def image(self) -> Image:
        return self._image

    @property
    def by_hand(self) -> str:
        """The QEMU command line that runs this board without the rig."""
        return command_line_by_hand(self._payload())

    @property
    def debugger(self) -> Path:
        """The unix socket on which a `debugged` board listens for gdb."""
        return self._folder.path / "gdb.sock"

    @property
    def qemu_version(self) -> str:
        """As QEMU says it, such as `7.2.22`."""
        return version_of(self._qemu).partition("version ")[2].split(" ")[0]

    @property
    def qemu_pid(self) -> int:
        """The process id of QEMU, 0 while the board is off."""
        return self._machine.pid if self._machine else 0

    @property
    def address(self) -> Address:
        """Where its SSH server is; the port is another after each power on, and 0 while it is off."""
        port = self._machine.port if self._machine else 0
        return Address("127.0.0.1", port, self._image.host_key.read_text(), self._image.login_key)

    def power_on(self, deadline: Deadline) -> None:
        """Boots, stage by stage, until a command is answered over SSH, then provisions; or begins as a board that was
        kept after all that.

        Raises:
            StageError: a stage failed; the board is off.
        """
        self.power_off()
        if self._keeping is None or not self._begun_as_kept(self._keeping, deadline):
            self._boot(deadline)

    def power_off(self) -> None:
        """Takes the power away at once; consoles keep what they recorded."""
        self.shell.close()
        self._folder.withdraw()
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.stop()
            self.health.report("the board is powered off")

    def power_cycle(self, deadline: Deadline) -> None:
        """Power off, then on, with a fresh disk unless it keeps its own; or back to how it was kept."""
        if self._keeping is None or not self._back_as_kept(self._keeping, deadline):
            self.power_off()
            self.power_on(deadline)

    def _boot(self, deadline: Deadline) -> None:
        begun, stage = time.monotonic(), FIRMWARE
        self.health.reset()
        try:
            if self._keeping is not None:
                make_overlay(self._image.disk, self._keeping.overlay)
            machine = self._start(self._payload(), deadline.after(FIRMWARE.seconds))
            for stage in (FIRMWARE, KERNEL, INIT, NETWORK):
                self._tell(stage.name)
                follow(stage, self.console, deadline)
            stage = SSH
            self._tell(stage.name)
            self._reach(deadline.after(SSH.seconds))
        except RigError as error:
            failure = self._stage_error(stage, error)
            self.power_off()
            raise failure from error
        self.boots += 1
        if self.provision is not None:
            self._tell("provision")
            self.provision(self, deadline)
        if self.inspection is not None:
            self.inspection(self, deadline)
        if self._keeping is not None and self._keeping.has_room():
            self._tell("keep")
            # Without room for it a board is as good as ever.
            with suppress(OSError, RigError):
                self._keeping.keep(machine, time.monotonic() - begun, deadline)

    def _begun_as_kept(self, keeping: Keeping, deadline: Deadline) -> bool:
        """In a fresh QEMU, from a copy of what is kept."""
        kept = keeping.find()
        if kept is None:
            return False
        self._tell("restore")
        return keeping.copied(kept) and self._restored(keeping, kept, deadline)

    def _back_as_kept(self, keeping: Keeping, deadline: Deadline) -> bool:
        """In the QEMU that runs."""
        if keeping.kept is None or self._machine is None:
            return False
        self._tell("restore")
        return self._restored(keeping, keeping.kept, deadline, self._machine)

    def _restored(self, keeping: Keeping, kept: Snapshot, deadline: Deadline, machine: Machine | None = None) -> bool:
        """Begins as it was kept, in a QEMU that runs or in a fresh one. False where that fails, or what was kept is not
        fit any more: the board is off, and what a fresh QEMU does not take is kept no longer."""
        begun, running = time.monotonic(), machine is not None
        self.shell.close()
        self.health.reset()
        try:
            if machine is None:
                machine = self._start(self._payload(restored=snapshot.NAME), deadline.after(FIRMWARE.seconds))
            else:
                machine.command(f"loadvm {snapshot.NAME}", deadline.after(RESTORE_S))
                self.console.begin()
                self.core_console.begin()
            machine.command("cont", deadline)
            self.shell.connect(self.address, deadline.after(RESTORE_S))
            self.shell.run(snapshot.refreshment(), deadline=deadline)
            if self.inspection is not None:
                self.inspection(self, deadline)
        except RigError:
            self.power_off()
            if not running:
                keeping.drop()
            return False
        self._publish()
        self.restores += 1
        keeping.note(kept, time.monotonic() - begun)
        return True

    def raise_unless_well(self) -> None:
        """Does nothing while the board runs, or after it has powered itself off.

        Raises:
            RigError: it panicked, stands still, or QEMU died.
        """
        cause = self.health.cause
        if cause is not None and not is_power_off(cause):
            raise RigError(ending(cause), self.console.tail())

    def close(self) -> None:
        """Powers off and removes the run folder."""
        self.power_off()
        self.console.close()
        self.core_console.close()
        self._folder.remove()

    def _start(self, payload: Payload, deadline: Deadline) -> Machine:
        machine = Machine(self._folder.path, self.health, self.console, self.core_console)
        self._machine = machine
        debugger = self.debugger if self._options.debugged else None
        machine.start(qemu_command_line(payload, machine.wires, debugger), deadline)
        return machine

    def _payload(self, restored: str = "") -> Payload:
        overlay = self._keeping.overlay if self._keeping is not None else None
        payload = payload_of(self._image, self._options, self._folder.path)
        return replace(payload, overlay=overlay, restored=restored, qemu=self._qemu)

    def _reach(self, deadline: Deadline) -> None:
        """Waits a little for the console to announce SSH, then lets SSH itself be the judge."""
        try:
            follow(SSH, self.console, deadline.after(MARKER_GRACE_S))
        except ConsoleError as error:
            if error.ended is not None:
                raise
        self.shell.connect(self.address, deadline)
        settle(self.shell, deadline)
        self._publish()

    def _publish(self) -> None:
        self._folder.publish(RunInfo.of(self._owner, self.layout.name, self.address, self.qemu_pid))

    def _tell(self, stage: str) -> None:
        if self.on_stage is not None:
            self.on_stage(stage)

    def _stage_error(self, stage: Stage, error: RigError) -> StageError:
        if self.health.cause is not None:
            self.console.settle(Deadline(1))
        evidence = [self.console.tail()]
        if self.core_console.text().strip():
            evidence.append(self.core_console.tail(4))
        if self._machine is not None:
            evidence.extend(self._machine.evidence)
        return StageError(stage, cause_of(error, self.health), "\n".join(evidence), self.by_hand)
