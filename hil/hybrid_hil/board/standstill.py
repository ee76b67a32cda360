"""What makes a board stand still that nobody has halted: QEMU finds no room for what the guest writes."""

from collections.abc import Mapping
from pathlib import Path

from hybrid_hil.board.run_folder import no_space

BLOCK_IO_ERROR = "BLOCK_IO_ERROR"
STOP = "STOP"
RESUME = "RESUME"


class Standstill:
    """Reads QEMU's events. A stop is wanted, by a snapshot or a debugger, unless a failing disk comes before it."""

    heard = (BLOCK_IO_ERROR, STOP, RESUME)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failed: Mapping[str, object] | None = None

    def cause(self, event: Mapping[str, object]) -> str | None:
        """Why the board stands still from this event on, or None while it runs or is meant to stand."""
        name, data = event.get("event"), event.get("data")
        if name == BLOCK_IO_ERROR and isinstance(data, Mapping):
            if data.get("action") == "stop":
                self._failed = data
        elif name == RESUME:
            self._failed = None
        elif name == STOP and self._failed is not None:
            return f"the board stands still: {self._reason(self._failed)}"
        return None

    def _reason(self, failed: Mapping[str, object]) -> str:
        if failed.get("nospace"):
            return no_space(self._folder)
        return f"its disk does not {failed.get('operation')}: {failed.get('reason')}"
