"""`create`: from an image to a supervisor that waits for the start.

Until the commit nothing is final: a failure undoes everything, and so does the death of this process after the fork.
"""

import posix as os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.interruption import interrupt_on_termination
from hybrid_runtime.command.options import Values, usage_error
from hybrid_runtime.container.claim import Claim, Journal, take_claim
from hybrid_runtime.container.identifier import check_identifier
from hybrid_runtime.container.record import CREATED, Record
from hybrid_runtime.container.status import BEING_CREATED
from hybrid_runtime.container.store import CONFIG, HeldFolder, remove_folder
from hybrid_runtime.container.sweep import make_folder
from hybrid_runtime.container.undo import forget, undo_leftovers
from hybrid_runtime.durable_file import write_durably
from hybrid_runtime.failure import Failure, errno_meaning, failed, reason
from hybrid_runtime.firmware.annotations import check_annotations, own_annotations
from hybrid_runtime.firmware.bundle import (
    Bundle,
    SandboxBundle,
    bundle_of_file,
    is_surely_firmware,
    kept_bundle,
    read_bundle,
)
from hybrid_runtime.firmware.elf import check_elf
from hybrid_runtime.firmware.installation import check_size, install, names_of_ours, new_name, sha256
from hybrid_runtime.firmware.rootfs import open_inside
from hybrid_runtime.firmware.search_path import firmware_folder
from hybrid_runtime.path import absolute, exists, is_file, resolved
from hybrid_runtime.process_identity import start_time
from hybrid_runtime.processor.choice import ProcessorSelector, choose, require_free
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.supervisor.control import listen
from hybrid_runtime.supervisor.spawn import Spawn, pid_file_in_making, remove_pid_file
from hybrid_runtime.system_calls import block_signals, set_signal_mask
from hybrid_runtime.timestamp import rfc3339


def run(context: Context, values: Values) -> int:
    *images, identifier = values.arguments
    if not images and not values.has("bundle"):
        _require_bundle_here(identifier)
    check_identifier(identifier)
    context.processor = values.get("processor", context.processor)
    if not context.processor and (context.names_processor or values.has("processor")):
        raise usage_error("--processor is empty", "create")
    if images and values.has("bundle"):
        raise usage_error("<IMAGE> and --bundle exclude each other", "create")
    if values.has("annotation") and not images:
        raise usage_error("--annotation goes with <IMAGE>: a bundle has its own", "create")
    bundle = None if images else _bundle_of_engine(context, values.get("bundle", "."))
    interrupt_on_termination()
    creation = _Creation(context, identifier)
    try:
        creation.announce()
        bundle = bundle or creation.bundle_of(images[0], values.all("annotation"))
        console_socket = _console_socket(bundle, values.get("console-socket"))
        creation.prepare(bundle)
        keeps_streams = not images and not os.isatty(1)
        spawn = creation.spawn_supervisor(bundle, values.get("pid-file"), console_socket, keeps_streams=keeps_streams)
        creation.run_hooks()
        creation.commit(spawn)
    except BaseException:
        try:
            creation.undo()
        except (Failure, OSError) as problem:
            # The journal has the rest of it; what went wrong first is what there is to report.
            context.warn(f"not everything could be undone: {reason(problem)}")
        raise
    return 0


def _bundle_of_engine(context: Context, path: str) -> Bundle:
    """A pod's sandbox does not come back from here: the real runtime takes this process over. Raises Failure."""
    try:
        return read_bundle(path)
    except SandboxBundle:
        from hybrid_runtime.command.delegation import create_sandbox

        create_sandbox(context.machine, context.argv)


def _console_socket(bundle: Bundle, path: str) -> str:
    """Absolute, "" for a container without a terminal. Raises Failure."""
    if bundle.terminal and not path:
        raise Failure("process.terminal is true and there is no --console-socket", "name a socket that takes it")
    if path and not bundle.terminal:
        raise Failure(f"--console-socket `{path}` is given and process.terminal is false", "leave one of them away")
    return absolute(path) if path else ""


def _require_bundle_here(argument: str) -> None:
    """Who gives one argument without being in a bundle has forgotten the other one."""
    if exists(CONFIG):
        return
    if is_file(argument) or "/" in argument or ":" in argument:
        raise usage_error(
            f"no container id is given for `{argument}`: `hybrid-runtime create {argument} NAME`", "create"
        )


class _Creation:
    """What has been made so far, and its undoing."""

    def __init__(self, context: Context, identifier: str) -> None:
        self.context = context
        self.machine = context.machine
        self.folder = ""
        self.held: HeldFolder | None = None
        self.record = Record(identifier, "", rfc3339())
        self.record.pid = os.getpid()
        self.record.pid_start_time = start_time(os.getpid()) or 0
        self.journal = Journal(context.store.root, identifier, self.record.created)
        self.claim: Claim | None = None
        self.spawn: Spawn | None = None
        self.hooked: Bundle | None = None

    def announce(self) -> None:
        """The id is taken, and others see who is at work: delete does not pull the folder away, and when this process
        is killed the id is free again. No signal comes between the folder and our knowing of it."""
        mask = block_signals()
        try:
            self.folder = make_folder(self.context.store, self.record)
            self.held = HeldFolder(self.folder)
        finally:
            set_signal_mask(mask)

    def bundle_of(self, image: str, annotations: list[str]) -> Bundle:
        """A bundle around a firmware file, or around the firmware of an image. Raises Failure."""
        pairs = [annotation.partition("=") for annotation in annotations]
        for key, equals, _ in pairs:
            if not key or not equals:
                raise usage_error(f"--annotation `{key}` is not KEY=VALUE", "create")
        given = {key: value for key, _, value in pairs}
        if not is_surely_firmware(image):
            from hybrid_runtime.image.reading import bundle_of_image

            return bundle_of_image(self.machine, f"{self.folder}/bundle", image, given, self.context.processor)
        return bundle_of_file(f"{self.folder}/bundle", resolved(image.removeprefix("file:")), given)

    def prepare(self, bundle: Bundle) -> None:
        """Processor chosen and claimed, firmware installed and checked."""
        check_annotations(bundle.annotations)
        write_durably(f"{self.folder}/{CONFIG}", bundle.config)
        self.record.bundle = bundle.path
        self.record.annotations = own_annotations(bundle.annotations)
        self.record.hooks = list(bundle.hooks)
        remoteproc = choose(
            self.machine, ProcessorSelector(bundle.annotations, bundle.environment, self.context.processor)
        )
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
            for warning in check_elf(copy):
                self.context.warn(warning)
        expected = bundle.annotations.get("remoteproc.firmware.sha256")
        if expected is not None and sha256(copy) != expected.lower():
            raise Failure(
                f"the firmware `{bundle.firmware}` is not the one with sha256 `{expected}`",
                "correct the annotation remoteproc.firmware.sha256 or the image",
            )

    def _claim(self, remoteproc: Remoteproc) -> None:
        self.claim = take_claim(self.machine, remoteproc.device)
        if self.claim is None:
            from hybrid_runtime.container.holder import held_by_other

            raise held_by_other(self.machine, remoteproc.device, remoteproc.read_or("name", remoteproc.device))
        undo_leftovers(self.claim)
        require_free(remoteproc)
        self.journal.pid = self.record.pid
        self.journal.pid_start_time = self.record.pid_start_time
        self.record.device = remoteproc.device
        self.record.processor = remoteproc.name
        self.record.resolved_path = remoteproc.resolved_path

    def _install(self, bundle: Bundle, firmware: int | None) -> None:
        folder = firmware_folder(self.machine)
        if names_of_ours(folder):
            from hybrid_runtime.container.orphans import collect_orphans

            collect_orphans(self.machine, folder)
        if bundle.firmware is not None:
            name = new_name(self.machine, bundle.firmware)
            self.record.firmware_name = self.journal.firmware_name = name
            self.record.firmware_file = self.journal.firmware_file = f"{folder}/{name}"
        if bundle.cgroups_path:
            self._plan_cgroup(bundle.cgroups_path)
        self._require_claim().write_journal(self.journal)
        if firmware is not None:
            install(firmware, self.record.firmware_file, lambda copy: self._check_firmware(bundle, copy))

    def _plan_cgroup(self, path: str) -> None:
        from hybrid_runtime.container.cgroup import can_be_joined, missing_folders, own_group

        if can_be_joined(self.machine, path):
            self.journal.cgroup_folders = missing_folders(self.machine, path)
            self.journal.cgroup_before = own_group(self.machine)

    def _join_cgroup(self, path: str, pid: int) -> None:
        """Only statistics depend on it, so what goes wrong is told and no more."""
        from hybrid_runtime.container.cgroup import can_be_joined, join, make

        if not can_be_joined(self.machine, path):
            return
        try:
            make(self.machine, self.journal.cgroup_folders)
            join(self.machine, path, pid)
        except OSError as error:
            self.context.warn(f"cannot join the control group `{path}`: {errno_meaning(error)}")

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
        from hybrid_runtime.container.hook import run_hooks

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
            from hybrid_runtime.container.hook import run_poststop_hooks

            for problem in run_poststop_hooks(self.hooked, self.record):
                self.context.warn(problem)


def _write_pid_file(spawn: Spawn) -> None:
    try:
        in_making = pid_file_in_making(spawn.pid_file, spawn.pid)
        write_durably(spawn.pid_file, str(spawn.pid).encode(), 0o644, temporary=in_making)
    except OSError as error:
        raise failed(
            f"cannot write --pid-file `{spawn.pid_file}`", error, "name a file in a folder that is there"
        ) from error
