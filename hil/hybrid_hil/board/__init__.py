"""Boards: machines with Linux and auxiliary cores."""

from hybrid_hil.board.board import Board, Provision
from hybrid_hil.board.processor import Processor

__all__ = ["Board", "Processor", "Provision"]
