"""Boards: machines with Linux and auxiliary cores."""

from hybrid_hil.board.board import Board, Consoles, PowerSwitch, Provision, ShellAccess
from hybrid_hil.board.processor import Processor

__all__ = ["Board", "Consoles", "PowerSwitch", "Processor", "Provision", "ShellAccess"]
