"""The creation of a container, up to a supervisor that waits for the start.

Until the commit nothing is final: a failure undoes everything, and so does the death of this process after the fork.
"""

import posix as os

from hybrid_runtime import CONFIG
from hybrid_runtime.bundle.annotations import check_annotations, is_in_pod, own_annotations
from hybrid_runtime.bundle.bundle import Bundle, kept_bundle
from hybrid_runtime.bundle.rootfs import open_inside
from hybrid_runtime.container.claim import Claim, Journal, take_claim
from hybrid_runtime.container.record import CREATED, Record
from hybrid_runtime.container.status import BEING_CREATED
from hybrid_runtime.container.store import HeldFolder, Store, remove_folder
from hybrid_runtime.container.sweep import make_folder
from hybrid_runtime.container.undo import forget, undo_leftovers
from hybrid_runtime.firmware.elf import check_elf
from hybrid_runtime.firmware.installation import check_size, install, names_of_ours, new_name, sha256
from hybrid_runtime.firmware.search_path import firmware_folder
from hybrid_runtime.processor.choice import ProcessorSelector, choose, require_board, require_free
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.supervisor.control import listen
from hybrid_runtime.supervisor.spawn import Spawn, pid_file_in_making, remove_pid_file
from hybrid_runtime.system.durable_file import write_durably
from hybrid_runtime.system.failure import Failure, errno_meaning, failed
from hybrid_runtime.system.path import absolute, resolved
from hybrid_runtime.system.process_identity import start_time
from hybrid_runtime.system.system_calls import block_signals, set_signal_mask
from hybrid_runtime.system.timestamp import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Creation:
    """What has been made so far, and its undoing."""

    def __init__(self, store: Store, identifier: str, warn: "Callable[[str], None]") -> None:
        """`warn` is told of what does not keep the container from being created."""
        self.store = store
        self.system = store.system
        self.warn = warn
        self.folder = ""
        self.held: HeldFolder | None = None
        self.record = Record(identifier, "", rfc3339())
        self.record.pid = os.getpid()
        self.record.pid_start_time = start_time(os.getpid()) or 0
        self.journal = Journal(store.root, identifier, self.record.created)
        self.claim: Claim | None = None
        self.spawn: Spawn | None = None
        self.hooked: Bundle | None = None
        self.driver = ""

    def announce(self) -> None:
        """The id is taken, and others see who is at work: delete does not pull the folder away, and when this process
        is killed the id is free again. No signal comes between the folder and our knowing of it."""
        mask = block_signals()
        try:
            self.folder = make_folder(self.store, self.record)
            self.held = HeldFolder(self.folder)
        finally:
            set_signal_mask(mask)

    def bundle_of(self, image: str, annotations: dict[str, str], processor: str) -> Bundle:
        """A bundle around a firmware file, or around the firmware of an image. Raises Failure."""
        from hybrid_runtime.bundle.file_bundle import bundle_of_file, is_surely_firmware

        if not is_surely_firmware(image):
            from hybrid_runtime.image.reading import bundle_of_image

            return bundle_of_image(self.system, f"{self.folder}/bundle", image, annotations, processor)
        return bundle_of_file(f"{self.folder}/bundle", resolved(image.removeprefix("file:")), annotations)

    def prepare(self, bundle: Bundle, processor: str) -> None:
        """Processor chosen and claimed, firmware installed and checked. `processor` is "" for any."""
        check_annotations(bundle.annotations)
        if bundle.user:
            self.warn(
                f"user `{bundle.user}` is asked for, and a core has no users: firmware reaches what its core reaches "
                "(leave USER, `--user`, runAsUser and runAsNonRoot away)"
            )
        write_durably(f"{self.folder}/{CONFIG}", bundle.config)
        self.record.bundle = bundle.path
        self.record.annotations = own_annotations(bundle.annotations)
        self.record.hooks = list(bundle.hooks)
        require_board(self.system, bundle.annotations, bundle.environment)
        selector = ProcessorSelector(bundle.annotations, bundle.environment, processor)
        if is_in_pod(bundle.annotations) and not selector.is_allocated:
            self._require_no_allocation()
        remoteproc = choose(self.system, selector)
        firmware = self._open_firmware(bundle)
        try:
            self._claim(remoteproc)
            self._install(bundle, firmware)
        finally:
            if firmware is not None:
                os.close(firmware)
        if bundle.root.startswith(f"{self.folder}/"):
            # Taken out of an image for us alone, and installed by now: /run is memory.
            remove_folder(bundle.root)
        bundle.release()

    def _require_no_allocation(self) -> None:
        """A pod that has asked for nothing would take what the scheduler counts as free. Raises Failure."""
        from hybrid_runtime.system.settings import REQUIRE_ALLOCATION, SETTINGS, read_settings

        if read_settings(self.system).requires_allocation:
            raise Failure(
                "no processor was allocated to this pod",
                f"name the resource in the pod's limits; {REQUIRE_ALLOCATION} of {SETTINGS} asks for that",
            )

    def _open_firmware(self, bundle: Bundle) -> int | None:
        """One descriptor for all that is done with it: what its name means may change."""
        if bundle.firmware is None:
            return None
        descriptor = open_inside(bundle.root, bundle.firmware, bundle.working_folder)
        try:
            check_size(descriptor)
        except Failure:
            os.close(descriptor)
            raise
        return descriptor

    def _check_firmware(self, bundle: Bundle, copy: int) -> None:
        """Of the copy to be installed: what is checked is what runs, whoever writes the image meanwhile."""
        if bundle.annotations.get("remoteproc.format", "elf") == "elf":
            for warning in check_elf(copy, self.driver):
                self.warn(warning)
        expected = bundle.annotations.get("remoteproc.firmware.sha256")
        if expected is not None and sha256(copy) != expected.lower():
            raise Failure(
                f"the firmware `{bundle.firmware}` is not the one with sha256 `{expected}`",
                "correct the annotation remoteproc.firmware.sha256 or the image",
            )

    def _claim(self, remoteproc: Remoteproc) -> None:
        self.claim = take_claim(self.system, remoteproc.device)
        if self.claim is None:
            from hybrid_runtime.container.holder_refusal import held_by_other

            raise held_by_other(self.system, remoteproc.device, remoteproc.read_or("name", remoteproc.device))
        undo_leftovers(self.claim)
        require_free(remoteproc)
        self.journal.pid = self.record.pid
        self.journal.pid_start_time = self.record.pid_start_time
        self.driver = remoteproc.driver()
        self.record.device = remoteproc.device
        self.record.processor = remoteproc.name
        self.record.resolved_path = remoteproc.resolved_path

    def _install(self, bundle: Bundle, firmware: int | None) -> None:
        folder = firmware_folder(self.system)
        if names_of_ours(folder):
            from hybrid_runtime.container.orphans import collect_orphans

            collect_orphans(self.system, folder)
        if bundle.firmware is not None:
            name = new_name(self.system, bundle.firmware)
            self.record.firmware_name = self.journal.firmware_name = name
            self.record.firmware_file = self.journal.firmware_file = f"{folder}/{name}"
        if bundle.cgroups_path:
            self._plan_cgroup(bundle.cgroups_path)
        self._require_claim().write_journal(self.journal)
        if firmware is not None:
            install(firmware, self.record.firmware_file, lambda copy: self._check_firmware(bundle, copy))

    def _plan_cgroup(self, path: str) -> None:
        from hybrid_runtime.container.cgroup import can_be_joined, missing_folders, own_group

        if can_be_joined(self.system, path):
            self.journal.cgroup_folders = missing_folders(self.system, path)
            self.journal.cgroup_before = own_group(self.system)

    def _join_cgroup(self, path: str, pid: int) -> None:
        """Only statistics depend on it, so what goes wrong is told and no more."""
        from hybrid_runtime.container.cgroup import can_be_joined, join, make, names_scope

        try:
            if can_be_joined(self.system, path):
                make(self.system, self.journal.cgroup_folders)
                join(self.system, path, pid)
            elif names_scope(path):
                from hybrid_runtime.container.systemd_scope import can_be_asked_for, join_scope

                if can_be_asked_for(self.system):
                    join_scope(self.system, path, pid)
        except OSError as error:
            self.warn(f"cannot join the control group `{path}`: {errno_meaning(error)}")
        except Failure as failure:
            self.warn(str(failure))

    def _require_claim(self) -> Claim:
        assert self.claim is not None, "the processor is claimed before anything is journaled"
        return self.claim

    def spawn_supervisor(self, bundle: Bundle, pid_file: str, console_socket: str, *, keeps_streams: bool) -> Spawn:
        """Fork the supervisor, and let it settle where it will stay."""
        claim = self._require_claim()
        self.record.save(self.folder)
        assert self.held is not None, "the id is taken before anything else is done"
        spawn = Spawn(claim, self.journal, self.record, self.held, listen(self.folder))
        spawn.pid_file = absolute(pid_file) if pid_file else ""
        spawn.keeps_streams = keeps_streams
        spawn.network = bundle.network
        # A bundle of our own making has nothing to show.
        spawn.image = "" if bundle.path.startswith(f"{self.folder}/") else bundle.root
        spawn.console_socket, spawn.console_size = console_socket, bundle.console_size
        self.spawn = spawn
        spawn.fork()
        claim.write_journal(self.journal)
        spawn.wait_until_ready()
        if bundle.cgroups_path:
            self._join_cgroup(bundle.cgroups_path, spawn.pid)
        return spawn

    def run_hooks(self) -> None:
        """Those that belong to create (spec, Lifecycle, steps 3 to 5)."""
        if not self.record.hooks:
            return
        from hybrid_runtime.container.hook_run import run_hooks

        # They may ask for the state.
        self.record.save(self.folder)
        self.hooked = kept_bundle(self.folder, self.record.bundle)
        for kind, network_of in (("prestart", 0), ("createRuntime", 0), ("createContainer", self.record.pid)):
            run_hooks(kind, self.hooked, self.record, BEING_CREATED, network_of)

    def commit(self, spawn: Spawn) -> None:
        if spawn.pid_file:
            _write_pid_file(spawn)
        self.record.phase = CREATED
        self.record.save(self.folder)
        spawn.commit()

    def undo(self) -> None:
        """After the fork the supervisor does it, as it does when this process is killed; what a dead one could not
        is done here. Once hooks have run, the container is one to be destroyed (spec, Lifecycle, step 13)."""
        mask = block_signals()
        if self.spawn is None or not self.spawn.pid or not self.spawn.cancel():
            if self.claim is not None and self.record.device:
                forget(self.claim, self.journal)
            if self.spawn is not None:
                remove_pid_file(self.spawn.pid_file, self.spawn.pid)
            if self.held is not None:
                self.held.remove()
        set_signal_mask(mask)
        if self.hooked is not None:
            from hybrid_runtime.container.hook_run import run_poststop_hooks

            for problem in run_poststop_hooks(self.hooked, self.record):
                self.warn(problem)


def _write_pid_file(spawn: Spawn) -> None:
    try:
        in_making = pid_file_in_making(spawn.pid_file, spawn.pid)
        write_durably(spawn.pid_file, str(spawn.pid).encode(), 0o644, temporary=in_making)
    except OSError as error:
        raise failed(
            f"cannot write --pid-file `{spawn.pid_file}`", error, "name a file in a folder that is there"
        ) from error
