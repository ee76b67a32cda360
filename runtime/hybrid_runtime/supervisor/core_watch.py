"""What a running core shows: the kernel's log about it, its trace, channels and dumps, and whether it still runs."""

from select import POLLIN, poll
from time import monotonic

from hybrid_runtime.bundle.annotations import follows_trace, rpmsg_channels
from hybrid_runtime.processor.kernel_log import crash_type, tells_of_boot
from hybrid_runtime.processor.remoteproc import STATES, ProcessorGone
from hybrid_runtime.supervisor.absent import NoChannels, NoDumps
from hybrid_runtime.supervisor.core_run import CoreRun
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.supervisor.stop_signals import StopSignals
from hybrid_runtime.supervisor.verdict import ExitReason, judge
from hybrid_runtime.system.failure import errno_meaning
from hybrid_runtime.system.timestamp import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hybrid_runtime.supervisor.channels import Channels
    from hybrid_runtime.supervisor.crash_dump import CrashDumps


class CoreWatch:
    """Everything goes to the output, and crashes into the record, which `save` keeps."""

    def __init__(self, core: CoreRun, output: Output, stop_signals: StopSignals, save: "Callable[[], None]") -> None:
        self.core = core
        self.record = core.record
        self.output = output
        self.stop_signals = stop_signals
        self.save = save
        # Not before the fork, since create has no use for it.
        from hybrid_runtime.container.tally import count

        self.add_to_tally = count
        self.follows_trace = follows_trace(self.record.annotations)
        self.channels = self._channels()
        self.dumps = self._dumps()
        self.last_output = self.last_seen_up = monotonic()
        self.crashes_survived = 0
        # What was told once and is only worth telling again when it changes.
        self.told_problem = ""

    def _channels(self) -> "Channels | NoChannels":
        """Only where an annotation names some: opening one takes it from every other program."""
        names = rpmsg_channels(self.record.annotations)
        if not names:
            return NoChannels()
        from hybrid_runtime.supervisor.channels import Channels

        return Channels(self.core.system, self.core.claim.device, names, self.output)

    def _dumps(self) -> "CrashDumps | NoDumps":
        if not self.record.keeps_dumps:
            return NoDumps()
        from hybrid_runtime.supervisor.crash_dump import CrashDumps

        return CrashDumps(self.core.system, self.record, self.output)

    def begin(self) -> None:
        """The core has been started."""
        self.last_seen_up = self.last_output = monotonic()
        self.count(starts=1)
        if self.follows_trace and not self.core.trace.is_reachable():
            self.output.supervisor("hybrid-runtime: no trace: mount -t debugfs none /sys/kernel/debug")
        # Those of the start itself are no news. But a core may crash at once.
        self._note([line for line in self.core.kernel_log.lines() if crash_type(line) is not None])
        self.channels.begin()

    def read_kernel_log(self) -> bool:
        """Whether there was anything about our core."""
        lines = self.core.kernel_log.lines()
        if self._note(lines):
            self.save()
        return bool(lines)

    def _note(self, lines: list[str]) -> bool:
        """Into output and record. Whether one tells of a crash."""
        crashes = 0
        for line in lines:
            self.output.supervisor(f"kernel: {line}")
            kind = crash_type(line)
            if kind is not None:
                crashes += 1
                self.record.crashes += 1
                self.record.crash_time = rfc3339()
                self.record.crash_type = kind
            if tells_of_boot(line):
                # Not at the crash already: until then the buffer holds what was read from it before.
                self.core.trace.begin_anew()
                self.output.end_lines()
        if crashes:
            self.count(crashes=crashes)
        return bool(crashes)

    def count(self, *, starts: int = 0, crashes: int = 0) -> None:
        """What is told of the processor; the core does not stop for it."""
        try:
            self.add_to_tally(self.core.claim.descriptor, starts=starts, crashes=crashes)
        except OSError as error:
            self.output.supervisor(f"hybrid-runtime: the processor's starts are not counted: {errno_meaning(error)}")

    def read_trace(self, *, last: bool = False) -> None:
        """Only the `last` look goes through all buffers also when a stop is asked for meanwhile."""
        if not self.follows_trace:
            return
        trace = self.core.trace
        for name, text, anew in trace.read():
            several = len(trace.rings) > 1
            if anew:
                self.output.end_line(name)
                self.output.supervisor(f"hybrid-runtime: the trace buffer {f'`{name}` ' * several}begins anew")
            self.last_output = monotonic()
            self.output.firmware(text, name, f"[{name}] " * several)
            if several and not last and self._stop_is_asked():
                break
        for limit in trace.limits:
            self.output.supervisor(f"hybrid-runtime: {limit}")
        trace.limits.clear()

    def look_at_channels(self) -> None:
        if self.channels.look():
            self.last_output = monotonic()

    def _stop_is_asked(self) -> bool:
        """A signal has come since the last wait."""
        waiting = poll()
        waiting.register(self.stop_signals.descriptor, POLLIN)
        return bool(waiting.poll(0))

    def read_last_words(self) -> None:
        self.read_kernel_log()
        self.read_trace(last=True)
        self.channels.close()

    def judge(self) -> ExitReason | None:
        now = monotonic()
        try:
            state, ours = self.core.remoteproc.state, self.core.is_ours()
        except ProcessorGone:
            state, ours = "deleted", False
        except OSError as error:
            # Short of memory or of descriptors, say: that tells nothing of the core.
            self.tell_problem(f"cannot look at the core: {errno_meaning(error)}; it is looked at again")
            return None
        if state not in STATES:
            # Of a later kernel: nobody knows what it means, so nothing is stopped for it.
            self.tell_problem(f"the kernel says that the core is `{state}`, which means nothing to this version")
            return None
        self.told_problem = ""
        if state in ("running", "suspended"):
            self.last_seen_up = now
            self.crashes_survived = self.record.crashes
        return judge(
            state,
            ours=ours,
            has_driver=state != "offline" or self.core.has_driver(),
            kernel_recovers=self.record.kernel_recovers,
            crash_seen=self.record.crashes > self.crashes_survived,
            seconds_down=now - self.last_seen_up,
        )

    def tell_problem(self, text: str) -> None:
        """Once, however often it is met."""
        if text != self.told_problem:
            self.output.supervisor(f"hybrid-runtime: {text}")
        self.told_problem = text
