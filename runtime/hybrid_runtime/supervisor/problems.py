"""What went wrong on the way to a container's end, where each step is made whatever became of the one before."""

from hybrid_runtime.container.record import Exit
from hybrid_runtime.supervisor.verdict import BROKEN_CODE, ExitReason
from hybrid_runtime.system.failure import Failure, reason
from hybrid_runtime.system.timestamp import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Problems:
    """`texts` in the order of the steps. `of_ours`: at least one was a defect of this program."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.of_ours = False

    def of(self, step: "Callable[[], object]") -> bool:
        """Make that step. False when it failed."""
        try:
            step()
        except (Failure, OSError) as error:
            self.texts.append(reason(error))
        except Exception as fault:  # noqa: BLE001  a defect in one step shall not keep the core running
            self.texts.append(description(fault))
            self.of_ours = True
        else:
            return True
        return False

    def end(self, exit_reason: ExitReason) -> Exit:
        """As it stands after the steps so far."""
        code = BROKEN_CODE if self.of_ours else exit_reason.code
        return Exit(code, "; ".join([exit_reason.reason, *self.texts]), rfc3339())


def description(fault: Exception) -> str:
    """Of an exception that nobody expected: what it is, and where it came from."""
    place = fault.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
    return f"this is a defect of hybrid-runtime, please report it: {type(fault).__name__}: {fault}{where}"
