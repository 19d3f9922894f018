"""Moves of the legs: steps, kicks, jumps."""

from __future__ import annotations

from .move import Move

LEG_MOVES: dict[str, Move] = {
    # Places after jumping-jacks of Mesh2Motion.
    "jumping-jack": Move(
        arms=("178/184 | 12/10", "160/168 | 16/14"),
        feet=("-.24 .24, -.15^.04 .15^.04 | -.07 .07, -.15^.04 .15^.04",),
        body={"drop": ".03 | .06", "height": ".05 | -.06", "width": "-.02 | .03"},
        vigour=0.95,
        groove=0.3,
    ),
    # Arms and feet after dance-charleston of Mesh2Motion.
    "charleston": Move(
        beats=4,
        arms=("38/76 36/-112 | 20/-20 24/20", "60/75 -10/-30 | 30/30 30/30"),
        feet=("-.05k.9 .25^.1~-.1 | -.03k.2 .05k.2", "-.06k.9 .25^.15~.08 | -.06k.1 .06k.1"),
        body={"lean": "-5 | 3", "drop": ".03 | .07", "x": "-.04 | .02", "head": "-8 | 4"},
        mirror=True,
        sided="leg",
        vigour=0.8,
        groove=0.6,
    ),
    # Legs after run-anime of Mesh2Motion: a knee high in front, the other heel behind.
    "running-man": Move(
        arms=("16/-50 36/140", "fists 20*.8/60*.8", "20/-80 30/60"),
        feet=("-.12^.05~-.22 .08^.25~.16",),
        body={"lean": "-4", "drop": ".06", "x": "-.02", "head": "-4"},
        mirror=True,
        sided="leg",
        vigour=0.9,
        groove=0.5,
    ),
    "grapevine": Move(
        beats=8,
        feet=("-.22 .05 | .13~-.1 .05 | .13~-.06 .24 | .19^.02 .24",),
        body={
            "x": "-.07 | .04 | .13 | .17",
            "lean": "6 | -5 | 5 | 9",
            "drop": ".07 | .02 | .07 | .02",
            "head": "5 | -3 | 4 | 8",
        },
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.35,
    ),
    "kick": Move(
        beats=4,
        feet=("= .31^.24~.14 | = =", "= .24^.28~.22 | = ="),
        body={"lean": "-10 | 0", "x": "-.05 | 0", "drop": ".01 | .06"},
        mirror=True,
        sided="leg",
        vigour=0.85,
        groove=0.6,
    ),
    "can-can": Move(
        beats=8,
        arms=("hips", "out", "80/110"),
        feet=("= .1^.3~.18 | = = | -.07 .27^.42~.16 | = =",),
        body={"lean": "-3 | 2 | -11 | 0", "x": "-.03 | .0 | -.05 | .0", "drop": ".01 | .08"},
        mirror=True,
        sided="leg",
        vigour=0.95,
        groove=0.5,
    ),
    "march": Move(
        arms=("24/10 -8/-70", "30/60 20/-20", "10/6"),
        feet=("= .085^.2~.16",),
        body={"lean": "-5", "x": "-.03", "height": ".02", "head": "-3"},
        mirror=True,
        sided="leg",
        vigour=0.6,
        groove=0.5,
    ),
    # Arms and weight after salsa-lead-01 and salsa-follow-05, CMU Graphics Lab, subjects 60 and 61.
    "salsa": Move(
        beats=8,
        arms=("14/-34 34/-130 | 40/-96 14/-50", "28/96 16/70 | 16/70 28/96"),
        feet=("= .22~.04 | -.085^.02k.9 .22 | = .03 | -.1k.9 .03^.03",),
        body={
            "x": ".1 | .02 | -.05 | .05",
            "lean": "-9 | 6 | 6 | -6",
            "drop": ".04 | .02 | .04 | .02",
            "bend": ".05 | -.04 | -.04 | .05",
        },
        mirror=True,
        sided="way",
        vigour=0.55,
        groove=0.35,
    ),
    "moonwalk": Move(
        beats=8,
        arms=("34/60 -14/-10 | -14/-10 34/60", "30/70 10/30 | 10/30 30/70"),
        feet=(".03k0 .22^.04k.9 | .03^.04k0 -.02k.9 | -.21k0 -.02^.04k.9 | -.21^.04k0 -.24k.9",),
        body={
            "x": ".12 | .04 | -.08 | -.16",
            "yaw": "24",
            "lean": "11 | 6 | 11 | 6",
            "drop": ".06",
            "head": "-6",
        },
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.3,
        glides=True,
    ),
    "lunge": Move(
        beats=4,
        feet=("-.15 .30k.9 | -.13 .13",),
        body={"x": ".11 | .0", "drop": ".13 | .02", "lean": "-6 | 0"},
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.5,
    ),
}
