"""Serial consoles: recorded to the last byte, watched for panics, and expected on."""

from hybrid_hil.console.console import Console, ConsoleError
from hybrid_hil.console.record import Line, Record

__all__ = ["Console", "ConsoleError", "Line", "Record"]
