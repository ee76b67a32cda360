"""Boards: machines with Linux and auxiliary cores."""

from hybrid_hil.board.board import Board, Layout

__all__ = ["Board", "Layout"]
