"""A move as data, in the language of `keys`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Move:
    """One move, written for the side "right" (of the viewer) and the size "medium".

    Attributes:
        beats: length of the phrase: 2, 4 or 8.
        arms, feet: alternatives of which a take has one; without any the take has one of the
            styles of `styles`.
        body: fields of the body and their numbers.
        mirror: the second half of the phrase is the mirror image of the first, which is written;
            arms, feet and body that are written for the whole phrase are not mirrored.
        sided: what the side in a sentence means: the "way" of the first beat, the leading "arm" or
            "leg", or the direction of the "turn"; empty where the move has no side.
        vigour: 0 for calm songs .. 1 for energetic ones.
        groove: amplitude of the groove under the move.
        posed: the poses of the arms are what the move is, so that its size hardly changes them.
        glides: feet slide instead of stepping.
        rolls, spins: turns of the figure about its middle and about its upright axis, made by the
            end of each beat.
    """

    beats: int = 2
    arms: tuple[str, ...] = ()
    feet: tuple[str, ...] = ()
    body: dict[str, str] = field(default_factory=dict)
    mirror: bool = False
    sided: str = ""
    vigour: float = 0.5
    groove: float = 1.0
    posed: bool = False
    glides: bool = False
    rolls: str = "0"
    spins: str = "0"

    @property
    def keeps_feet(self) -> bool:
        """Whether a standing foot should stay where it is: the move neither glides nor turns the
        whole figure."""
        return not self.glides and self.rolls == "0" and self.spins == "0"
