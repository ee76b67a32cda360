"""Core dumps of a container whose annotations ask for them. Loaded only then."""

from hybrid_runtime.container.record import Record
from hybrid_runtime.processor.coredump import DumpCopy, KernelDump, failure_text, find_dump
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import as_named, on_machine
from hybrid_runtime.system.system_paths import SystemPaths

# What a dump may take at the end of a container. The core is off by then.
LAST_DUMP_SECONDS = 30.0


class CrashDumps:
    """Each dump is copied once, a step at each turn; one that cannot be is left to the kernel's five minutes."""

    def __init__(self, system: SystemPaths, record: Record, output: Output) -> None:
        self.system = system
        self.record = record
        self.output = output
        self.copy: DumpCopy | None = None
        self.passed_over = ""
        self.told_why = False

    def begin(self, remoteproc: Remoteproc) -> None:
        """Before the start: what is there now is another run's."""
        older = find_dump(self.system, self.record.device)
        if older is not None:
            self.passed_over = older.path
            self._tell(f"a core dump of an earlier run is in the way: until `{older.data}` is freed there is no other")
        if not remoteproc.read_or("coredump", ""):
            self.told_why = True
            self._tell("no core dumps: this kernel has no setting `coredump`")

    def look(self) -> None:
        """Begin with a dump that has appeared."""
        if self.copy is not None:
            return
        dump = find_dump(self.system, self.record.device)
        if dump is None or dump.path == self.passed_over:
            return
        try:
            self.copy = DumpCopy(self.system, dump, self.record.identifier)
        except OSError as error:
            self._give_up(dump, error)

    def step(self) -> bool:
        """Copy a little. True when a dump has just been completed."""
        if self.copy is None:
            return False
        copy = self.copy
        try:
            if not copy.step():
                return False
        except (OSError, Failure) as error:
            self.copy = None
            self._give_up(copy.dump, error)
            return False
        self.copy = None
        # The kernel takes it away a moment later.
        self.passed_over = copy.dump.path
        copy.dump.free()
        self.record.coredump_path = as_named(copy.path)
        self._tell(f"core dump of {copy.size} bytes in `{copy.path}`")
        return True

    def provoke(self, remoteproc: Remoteproc) -> None:
        """The kernel dumps only while it recovers: of a crashed core that shall stay down, this is the only way.

        To be followed by a stop at once.
        """
        if remoteproc.read_or("state", "") != "crashed" or not remoteproc.runs_firmware(self.record.firmware_name):
            return
        try:
            with open(on_machine(self.record.firmware_file), "rb"):
                remoteproc.write("recovery", "recover")
        except (OSError, Failure) as error:
            # Also without the file: a recovery that finds none leaves a reference behind that nobody can give back.
            self.told_why = True
            self._tell(f"no core dump: {failure_text(error)}")

    def finish(self) -> None:
        """The last dump, complete or not at all, and a word where there was none."""
        self.look()
        deadline = Deadline(LAST_DUMP_SECONDS)
        while self.copy is not None and not deadline.expired:
            self.step()
        if self.copy is not None:
            copy, self.copy = self.copy, None
            copy.cancel()
            self._give_up(copy.dump, Failure(f"it was not written in {LAST_DUMP_SECONDS:g} s"))
        if self.record.crashes and not (self.record.coredump_path or self.told_why):
            self._tell("no core dump: the kernel has written none (some drivers do not tell it what to dump)")

    def _give_up(self, dump: KernelDump, error: Exception) -> None:
        self.passed_over = dump.path
        self.told_why = True
        self._tell(f"no core dump: {failure_text(error)}; the kernel keeps it in `{dump.data}` for five minutes")

    def _tell(self, text: str) -> None:
        self.output.supervisor(as_named(f"hybrid-runtime: {text}"))
