"""Signals as the supervisor takes them: some ask for an orderly stop, the others mean nothing to a core."""

import posix as os

from hybrid_runtime.system.system_calls import STOP_SIGNALS, set_signal_mask, signals

# Not ours to ignore: they cannot be, or they tell of our own faults.
_LEFT_ALONE = (
    signals.SIGKILL, signals.SIGSTOP, signals.SIGSEGV, signals.SIGBUS, signals.SIGFPE, signals.SIGILL,
    signals.SIGABRT, signals.SIGCHLD,
)  # fmt: skip


class StopSignals:
    """Takes them from now on. `descriptor` becomes readable with each."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.descriptor, writable = os.pipe()
        os.set_blocking(writable, False)
        signals.set_wakeup_fd(writable, warn_on_full_buffer=False)
        for number in signals.valid_signals():
            if number in STOP_SIGNALS:
                # The handler only makes the C level write into the descriptor.
                signals.signal(number, lambda *_: None)
            elif number not in _LEFT_ALONE:
                signals.signal(number, signals.SIG_IGN)
        set_signal_mask(set())

    def ask_for_stop(self) -> bool:
        """Whether those that came are more than the hang-up of our own terminal, when an engine lets go of it."""
        came = os.read(self.descriptor, 4096)
        if not self.terminal or any(number != signals.SIGHUP for number in came):
            return True
        from hybrid_runtime.supervisor.terminal import is_hung_up

        return not is_hung_up()
