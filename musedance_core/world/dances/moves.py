"""All moves by name."""

from __future__ import annotations

from .arm_moves import ARM_MOVES
from .body_moves import BODY_MOVES
from .leg_moves import LEG_MOVES
from .move import Move

MOVE_TABLE: dict[str, Move] = BODY_MOVES | LEG_MOVES | ARM_MOVES

__all__ = ["MOVE_TABLE", "Move"]
