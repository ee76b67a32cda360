"""The long-lived process of a container: one thread around one poll.

Before the start it waits; from the start on it follows the core's trace, listens to the kernel's log for crashes,
and ends when the core does. Its exit code is the container's.
"""

import posix as os
from select import POLLIN, poll
from time import monotonic

from hybrid_runtime.bundle.annotations import log_bytes
from hybrid_runtime.container.claim import Claim, Journal
from hybrid_runtime.container.log import ContainerLog
from hybrid_runtime.container.record import CREATED, STARTED, Record
from hybrid_runtime.container.store import LOG
from hybrid_runtime.supervisor.control import ControlServer
from hybrid_runtime.supervisor.core_run import CoreRun
from hybrid_runtime.supervisor.core_watch import CoreWatch
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.supervisor.problems import Problems, description
from hybrid_runtime.supervisor.stop_signals import StopSignals
from hybrid_runtime.supervisor.verdict import BROKEN_CODE, CRASHED, START_FAILED, STOPPED, ExitReason
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, failed, reason
from hybrid_runtime.system.text import message_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hybrid_runtime.system.system_calls import Socket

    # Deals with a descriptor that is ready; an ExitReason ends the supervisor.
    Handler = Callable[[int], ExitReason | None]

# Looks at the core while its output flows, and for a while after; and when it is quiet.
BUSY_TICK_SECONDS = 0.050
QUIET_TICK_SECONDS = 0.250
BUSY_FOR_SECONDS = 2.0
# What readers of the last lines get before the process leaves.
_LAST_WORDS_SECONDS = 1.0
# A stop that the driver refuses is tried for so long at each look. Other events wait meanwhile.
_STOP_ATTEMPT_SECONDS = 0.2


class Supervisor:
    """Owns the control socket, the streams, and the claim on the core."""

    def __init__(
        self,
        claim: Claim,
        journal: Journal,
        record: Record,
        folder: str,
        listener: "Socket",
        stop_signals: StopSignals,
    ) -> None:
        self.record = record
        self.folder = folder
        self.stop_signals = stop_signals
        self.core = CoreRun(claim, journal, record)
        self.control = ControlServer(listener)
        self.output = Output(ContainerLog(f"{folder}/{LOG}", log_bytes(record.annotations)))
        self.watch = CoreWatch(self.core, self.output, stop_signals, self._save)
        self.next_look = monotonic()
        self.is_to_stop = False
        self.poller = poll()
        self.polled: set[int] = set()

    def run(self) -> int:
        """The exit code, after everything is undone."""
        exit_reason: ExitReason | None = None
        try:
            while exit_reason is None:
                exit_reason = self._turn()
        except Exception as fault:  # noqa: BLE001  the core shall not run on because of a defect of this program
            exit_reason = ExitReason(BROKEN_CODE, description(fault))
        return self._finish(exit_reason)

    def _turn(self) -> ExitReason | None:
        """Wait for the next event and deal with it."""
        ready = self._wait()
        for descriptor, handle in self._sources().items():
            if descriptor in ready and (exit_reason := handle(descriptor)):
                return exit_reason
        if self.watch.dumps.step():
            self._save()
        if self.record.phase == STARTED and monotonic() >= self.next_look:
            return self._look()
        self.output.flush()
        return None

    def _sources(self) -> "dict[int, Handler]":
        """The descriptors that are listened to now, in the order in which they are dealt with."""
        sources: dict[int, Handler] = {self.stop_signals.descriptor: self._on_stop_signal}
        sources |= dict.fromkeys(self.control.descriptors(), self._on_request)
        if self.record.phase == STARTED:
            sources |= dict.fromkeys(self.watch.channels.descriptors(), self.watch.channels.receive_from)
            if self.core.kernel_log.descriptor is not None:
                sources[self.core.kernel_log.descriptor] = self._on_kernel_log
        return sources

    def _wait(self) -> list[int]:
        """The descriptors that are ready. One poll object is kept: most turns listen to what the last one did."""
        sources = self._sources().keys()
        for descriptor in self.polled - sources:
            self.poller.unregister(descriptor)
        for descriptor in sources - self.polled:
            self.poller.register(descriptor, POLLIN)
        self.polled = set(sources)
        if self.record.phase != STARTED:
            return [descriptor for descriptor, _ in self.poller.poll()]
        # A dump is copied between two looks at everything else.
        timeout = 0.0 if self.watch.dumps.copy else max(0.0, self.next_look - monotonic())
        return [descriptor for descriptor, _ in self.poller.poll(timeout * 1000)]

    def _on_stop_signal(self, _: int) -> ExitReason | None:
        if not self.stop_signals.ask_for_stop():
            return None
        if self.record.phase != STARTED:
            return STOPPED
        self.is_to_stop = True
        self.next_look = monotonic()
        return None

    def _on_request(self, descriptor: int) -> ExitReason | None:
        verb = self.control.receive(descriptor)
        return None if verb is None else self._serve(descriptor, verb)

    def _on_kernel_log(self, _: int) -> None:
        """Every entry of the kernel's log wakes us, also the thousands about other things."""
        if self.watch.read_kernel_log():
            self.next_look = monotonic()

    def _serve(self, descriptor: int, verb: str) -> ExitReason | None:
        if verb != "start":
            self.control.answer(descriptor, {"ok": False, "message": f"unknown request `{verb}`"})
            return None
        if self.record.phase != CREATED:
            self.control.answer(descriptor, {"ok": False, "message": "the container is already running"})
            return None
        self.watch.dumps.begin(self.core.remoteproc)
        try:
            self.core.start()
        except (Failure, OSError) as error:
            self._refuse_start(
                descriptor, error if isinstance(error, Failure) else failed("cannot start the core", error, "see dmesg")
            )
            return START_FAILED
        self._note_started()
        self.control.answer(descriptor, {"ok": True})
        return None

    def _refuse_start(self, descriptor: int, failure: Failure) -> None:
        kernel_lines = self.core.kernel_log.lines()
        self.output.supervisor(f"hybrid-runtime: {failure}")
        for line in kernel_lines:
            self.output.supervisor(f"kernel: {line}")
        answer = {
            "ok": False,
            # An answer is one packet.
            "message": message_line(failure.message),
            "remedy": message_line(failure.remedy),
            "kernel": kernel_lines[-16:],
        }
        self.control.answer(descriptor, answer)

    def _note_started(self) -> None:
        self.record.phase = STARTED
        self.next_look = monotonic()
        guard = (
            ""
            if self.core.guard is not None
            else ", unguarded: the kernel has no device to stop it by when this process dies"
        )
        self.output.supervisor(
            f"hybrid-runtime: started `{self.record.firmware_name}` on `{self.record.processor}`{guard}"
        )
        self.watch.begin()
        self._save()

    def _save(self) -> None:
        """The record only reports; a full disk must not stop the core."""
        try:
            self.record.save(self.folder)
        except Failure as error:
            self.output.supervisor(f"hybrid-runtime: {error}")

    def _look(self) -> ExitReason | None:
        """One look at the kernel's log, the trace and the core's state."""
        began = monotonic()
        self.watch.read_kernel_log()
        self.watch.read_trace(last=self.is_to_stop)
        self.watch.look_at_channels()
        self.watch.dumps.look()
        exit_reason = self._try_to_stop() if self.is_to_stop else self.watch.judge()
        busy = monotonic() - self.watch.last_output < BUSY_FOR_SECONDS
        self.output.flush()
        # A pause is no shorter than the look: a core that floods us gets half of a slow processor at most.
        pause = max(BUSY_TICK_SECONDS if busy else QUIET_TICK_SECONDS, monotonic() - began)
        self.next_look = monotonic() + pause
        return exit_reason

    def _try_to_stop(self) -> ExitReason | None:
        """A core that refuses to stop keeps its container: it is asked again at each look, until the driver relents or
        the engine loses patience and kills."""
        self.watch.channels.close()
        try:
            self.core.stop(_STOP_ATTEMPT_SECONDS)
        except (Failure, OSError) as error:
            self.watch.tell_problem(f"{reason(error)}; it is tried again")
            self._note_refused_stop(reason(error))
            return None
        self._note_refused_stop("")
        return STOPPED

    def _note_refused_stop(self, why: str) -> None:
        if self.record.refused_stop != why:
            self.record.refused_stop = why
            self._save()

    def _finish(self, exit_reason: ExitReason) -> int:
        """Last trace, stop, give back, last words, and the record as the last act.

        Each step is made whatever became of those before it, but nothing of a core that still runs is given back.
        """
        problems = Problems()
        if self.record.phase == STARTED:
            problems.of(self.watch.read_last_words)
            if exit_reason is CRASHED and not self.record.crashes:
                # The kernel's log is not to be read here.
                self.watch.count(crashes=1)
            if exit_reason is CRASHED and not self.record.kernel_recovers:
                problems.of(lambda: self.watch.dumps.provoke(self.core.remoteproc))
        is_off = problems.of(self.core.stop)
        if self.record.phase == STARTED:
            problems.of(self.watch.dumps.finish)
        if is_off:
            problems.of(self.core.give_back)
        self.record.end = problems.end(exit_reason)
        problems.of(self._say_last_words)
        self.record.end = problems.end(exit_reason)
        self._save()
        return self.record.end.code

    def _say_last_words(self) -> None:
        end = self.record.end
        if end:
            self.output.supervisor(f"hybrid-runtime: {end.reason}, exit code {end.code}")
        self.output.finish(Deadline(_LAST_WORDS_SECONDS))


def close_all_but(kept: set[int]) -> None:
    """Engines leak descriptors into create; a process that lives for months must not hold them."""
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = max(first, descriptor + 1)
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))
