"""Ending a verb by signal: an engine that loses patience sends SIGTERM, as good a reason to undo as Ctrl-C."""

from hybrid_runtime.system.system_calls import signals


def interrupt_on_termination() -> None:
    """SIGTERM and SIGHUP raise KeyboardInterrupt from now on, as SIGINT does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signals.SIGTERM, signals.SIGHUP):
        signals.signal(number, interrupt)
