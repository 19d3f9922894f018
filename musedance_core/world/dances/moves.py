"""The moves as data, in the language of `keys`.

Moves are written for the side "right" (of the viewer) and the size "medium".
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Move:
    """One move.

    Attributes:
        beats: length of the phrase: 2, 4 or 8.
        arms, feet: alternatives of which a take has one; without any the take has one of the
            styles of `styles`.
        body: fields of the body and their numbers.
        mirror: the second half of the phrase is the mirror image of the first, which is written.
        sided: what the side in a sentence means: the "way" of the first beat, the leading "arm" or
            "leg", or the direction of the "turn"; empty where the move has no side.
        vigour: 0 for calm songs .. 1 for energetic ones.
        groove: amplitude of the groove under the move.
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
    glides: bool = False
    rolls: str = "0"
    spins: str = "0"


BODY_MOVES: dict[str, Move] = {
    "hop": Move(
        arms=("125/150 | 20/40", "chest | 30/120", "20/10 | 45/70"),
        feet=("=^.16 =^.16 | = =", "-.11^.15 .11^.15 | = ="),
        body={"drop": "0 | .06", "height": ".05 | -.08", "width": "-.03 | .05"},
        vigour=0.8,
        groove=0.5,
    ),
    "slide": Move(
        feet=(".06 .25",),
        body={"x": ".155", "lean": "-9", "head": "6", "drop": ".02"},
        mirror=True,
        sided="way",
        vigour=0.4,
        groove=0.7,
        glides=True,
    ),
    "sway": Move(
        feet=("-.14 .14", "-.11 .11"),
        body={"x": ".07", "lean": "17", "bend": "-.03", "head": "-9"},
        mirror=True,
        sided="way",
        vigour=0.1,
        groove=0.7,
    ),
    "spin": Move(
        arms=("88/92 | 70/80", "chest | 40/-60", "up", "160/170 60/80"),
        feet=("-.05 .05^.03 | -.05^.03 .05", "-.04 .04"),
        body={"drop": "0 | .03"},
        sided="turn",
        vigour=0.6,
        groove=0.5,
        spins=".5",
    ),
    "squash": Move(
        arms=("40/60 | 15/20", "30/110 | 150/170", "hips"),
        feet=("-.12k.9 .12k.9", "-.16k1 .16k1"),
        body={"drop": ".12 | -.02", "height": "-.2 | .12", "width": ".14 | -.08"},
        vigour=0.5,
        groove=0.3,
    ),
    "shimmy": Move(
        arms=("62/74", "40/-20", "38/100", "85/60"),
        feet=("-.12 .12", "-.09 .09"),
        body={"lean": "13", "bend": "-.05", "head": "-8", "yaw": "16", "drop": ".02"},
        mirror=True,
        sided="way",
        vigour=0.6,
        groove=0.6,
    ),
    "body-wave": Move(
        arms=("165/185 20/40", "120/150 40/60", "30/50 95/120"),
        feet=("-.1 .1", "-.13 .13"),
        body={"bend": ".15", "head": "10", "x": ".03", "drop": ".01"},
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.6,
    ),
    "step-touch": Move(
        beats=4,
        feet=("-.13 .13 | .02^.01 .13",),
        body={"x": ".03 | .09", "lean": "3 | 6", "drop": ".03 | .01"},
        mirror=True,
        sided="way",
        vigour=0.4,
    ),
    "nod": Move(
        body={"head": "24 | -4", "lean": "5 | -1", "drop": ".035 | .0", "height": "-.04 | .01"},
        vigour=0.15,
        groove=0.6,
    ),
    "pulse": Move(
        arms=("70/85 | 30/40", "120/140 | chest", "45/70 | 10/8"),
        feet=("-.1 .1", "-.14 .14"),
        body={"width": ".17 | -.12", "height": ".13 | -.12"},
        vigour=0.4,
        groove=0.4,
    ),
    "twist": Move(
        arms=("55/20 30/-75", "60/95 30/-100", "45/60 -10/-25"),
        feet=("-.1k.9 .1k.1", "-.12k.9 .12k.1"),
        body={"yaw": "48", "drop": ".06", "lean": "5", "x": ".03"},
        mirror=True,
        sided="way",
        vigour=0.6,
        groove=0.6,
    ),
    "body-roll": Move(
        beats=4,
        arms=("20/-70 | 30/-40 | 30/30 | 20/10", "vee | 150/190 | up | 140/150", "hips"),
        feet=("-.12 .12", "-.09 .09"),
        body={
            "bend": ".0 | .10 | .02 | -.10",
            "lean": "10 | 2 | -10 | -2",
            "drop": ".0 | .02 | .09 | .05",
            "head": "14 | 4 | -12 | -4",
            "height": ".03 | .0 | -.06 | -.02",
        },
        sided="way",
        vigour=0.2,
        groove=0.3,
    ),
    "snake": Move(
        beats=4,
        arms=("vee | 160/190 130/120", "20/60 60/20 | 40/20 20/50", "head"),
        feet=("-.13 .13",),
        body={
            "x": ".02 | .08",
            "lean": "20 | -6",
            "bend": "-.07 | .09",
            "head": "16 | 2",
            "drop": ".01 | .07",
        },
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.4,
    ),
    "hip-sway": Move(
        arms=("hips", "hips 30/20", "hips 120/240"),
        feet=("-.09 .09k.7", "-.12 .12"),
        body={"x": ".075", "lean": "-9", "bend": ".06", "head": "6", "drop": ".02"},
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.7,
    ),
    "bow": Move(
        beats=4,
        arms=("low 30/-95 | 80/95 30/-95 | 40/60 | 80/95", "10/-60 | 20/-70 | out | low"),
        feet=("-.08 .12",),
        body={
            "lean": "38 | 44 | 2 | -4",
            "head": "26 | 30 | 0 | -6",
            "drop": ".04 | .06 | .0 | .01",
            "x": "-.02 | -.03 | .0 | .0",
        },
        sided="way",
        vigour=0.1,
        groove=0.4,
    ),
    "head-bang": Move(
        arms=("fists | 20*.8/140*.8", "38/-30", "20/50"),
        feet=("-.15k.7 .15k.7", "-.12 .18~.05"),
        body={"lean": "20 | -6", "head": "42 | -22", "drop": ".09 | .02", "height": "-.05 | .02"},
        sided="way",
        vigour=0.9,
        groove=0.5,
    ),
    "roll": Move(
        arms=("30/110", "chest", "out"),
        feet=("-.1^.04~.1 .1^.04~.1", "-.14 .14"),
        body={"drop": ".06 | .02", "x": "-.04 | .04"},
        sided="turn",
        vigour=0.7,
        groove=0.4,
        rolls=".5",
    ),
    "cartwheel": Move(
        beats=8,
        arms=("vee | 140/140 | 120/130 | low | vee | 140/140 | 120/130 | low",),
        feet=(
            "-.18 .18 | -.24^.06 .24^.06 | -.18 .18 | = = |"
            " -.18 .18 | -.24^.06 .24^.06 | -.18 .18 | = =",
        ),
        body={"x": "-.12 | .0 | .12 | .12 | .12 | .0 | -.12 | -.12"},
        sided="turn",
        vigour=0.95,
        groove=0.4,
        rolls=".5 1 1 1 .5 0 0 0",
    ),
}

LEG_MOVES: dict[str, Move] = {
    "jumping-jack": Move(
        arms=("162/172, 100/110 | 12/8, 70/75",),
        feet=("-.2 .2, -.14^.06 .14^.06 | = =, -.14^.06 .14^.06",),
        body={"drop": ".02 | .04", "height": ".0 | -.03"},
        vigour=0.95,
        groove=0.3,
    ),
    "charleston": Move(
        beats=4,
        arms=("60/75 -20/-40 | 30/30 30/30", "85/175 85/20 | 60/100 60/100"),
        feet=("-.06k.9 .25^.13~.08 | -.06k.1 .06k.1", "-.07k.9 .22^.16~-.08 | =k.1 =k.1"),
        body={"lean": "-6 | 0", "drop": ".04 | .06", "x": "-.03 | 0"},
        mirror=True,
        sided="leg",
        vigour=0.8,
        groove=0.6,
    ),
    "running-man": Move(
        arms=("10/-70 24/125", "fists 20*.8/60*.8"),
        feet=("-.11^.0~-.2 .07^.2~.18",),
        body={"lean": "-5", "drop": ".06", "x": ".02"},
        mirror=True,
        sided="leg",
        vigour=0.9,
        groove=0.5,
    ),
    "grapevine": Move(
        beats=8,
        feet=("-.24 .02 | .11~-.08 .02 | .11~-.04 .24 | .15^.01 .24",),
        body={"x": "-.06 | .06 | .13 | .17", "lean": "4 | -4 | 4 | 6", "drop": ".03"},
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.7,
    ),
    "kick": Move(
        beats=4,
        feet=("= .27^.2~.14 | = =", "= .20^.24~.22 | = ="),
        body={"lean": "-7 | 0", "x": "-.04 | 0", "drop": ".02 | .04"},
        mirror=True,
        sided="leg",
        vigour=0.85,
        groove=0.6,
    ),
    "can-can": Move(
        beats=8,
        arms=("hips", "out", "80/110"),
        feet=("= .08^.24~.2 | = = | -.07 .24^.46~.16 | = =",),
        body={
            "lean": "0 | 0 | -10 | 0",
            "x": "-.02 | 0 | -.05 | 0",
            "drop": ".02 | .04 | .01 | .04",
        },
        mirror=True,
        sided="leg",
        vigour=0.95,
        groove=0.5,
    ),
    "march": Move(
        arms=("24/10 -8/-100", "30/60 20/-20", "10/6"),
        feet=("= .085^.19~.16",),
        body={"lean": "-2", "x": "-.02", "height": ".02"},
        mirror=True,
        sided="leg",
        vigour=0.6,
        groove=0.5,
    ),
    "salsa": Move(
        beats=8,
        arms=("28/96 22/80 | 22/80 28/96", "26/-70 22/85 | 22/80 26/-60"),
        feet=("= .19~.06 | =^.0 .19 | = = | = .085^.02",),
        body={
            "x": ".06 | -.05 | .03 | -.04",
            "lean": "-5 | 5 | -3 | 3",
            "drop": ".03 | .03 | .02 | .02",
        },
        mirror=True,
        sided="way",
        vigour=0.55,
        groove=0.6,
    ),
    "moonwalk": Move(
        beats=8,
        arms=("20/30 -10/-10 | -10/-10 20/30", "30/70 10/30 | 10/30 30/70"),
        feet=(".05^.03 .13 | .05 .01^.03 | -.07^.03 .01 | -.07 -.11^.03",),
        body={"x": ".09 | .03 | -.03 | -.09", "yaw": "38", "lean": "7", "drop": ".04"},
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.4,
        glides=True,
    ),
    "lunge": Move(
        beats=4,
        feet=("-.15 .30k.9 | -.13 .13",),
        body={"x": ".11 | .0", "drop": ".1 | .02", "lean": "-6 | 0"},
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.5,
    ),
}

ARM_MOVES: dict[str, Move] = {
    "disco-point": Move(
        arms=("hips 145/146 | hips -42/-40", "loose 150/150 | loose -48/-46"),
        body={"x": ".05 | -.05", "lean": "5 | -5", "head": "6 | -4"},
        sided="arm",
        vigour=0.6,
    ),
    "hand-wave": Move(
        arms=("loose 118/140 | loose 118/212", "hips 125/145 | hips 125/215"),
        body={"head": "7 | 3", "lean": "3 | -3"},
        sided="arm",
        vigour=0.25,
    ),
    "arm-wave": Move(
        beats=4,
        arms=("112/58 90/92 | 78/125 100/86 | 88/96 74/122 | 92/86 112/56",),
        body={"x": "-.04 | -.01 | .04 | .01", "lean": "-4 | 2 | 4 | -2"},
        sided="way",
        vigour=0.4,
        groove=0.8,
    ),
    "clap": Move(
        arms=("10/245 | 52/128", "165/238 | 128/150", "10/245 | 20/200"),
        body={"drop": ".03 | .0", "lean": "3 | -3", "head": "4 | -4"},
        vigour=0.5,
    ),
    "raise-the-roof": Move(
        arms=("152/178 | 78/165*.75",),
        body={"drop": ".0 | .06", "height": ".03 | -.03"},
        vigour=0.75,
        groove=0.8,
    ),
    "robot": Move(
        beats=4,
        arms=("12/92 80/2 | 80/2 80/2", "80/2 12/92 | 12/92 12/92"),
        feet=("-.09 .09", "-.09 .12 | -.09 .09"),
        body={"lean": "7 | 0", "head": "-14 | 14", "x": ".03 | .0", "drop": ".0 | .02"},
        mirror=True,
        sided="arm",
        vigour=0.5,
        groove=0.25,
    ),
    "floss": Move(
        arms=("-34/-36 42/44",),
        feet=("-.11 .11", "-.09 .09"),
        body={"x": "-.075", "lean": "5", "bend": "-.04", "drop": ".03"},
        mirror=True,
        sided="way",
        vigour=0.8,
        groove=0.4,
    ),
    "dab": Move(
        beats=4,
        arms=("125*.55/232 128/130 | 26/110 26/110", "125*.55/232 128/130 | 30/20"),
        body={"lean": "-9 | 4", "head": "-26 | 4", "drop": ".05 | .0"},
        mirror=True,
        sided="way",
        vigour=0.7,
        groove=0.8,
    ),
    "macarena": Move(
        beats=8,
        arms=(
            "hips 88/90 | 88/90 88/90 | 88/90 20/-128 | 20/-128 20/-128 |"
            "20/-128 122/242 | 122/242 122/242 | 122/242 hips | hips hips",
        ),
        feet=("-.1 .1",),
        body={"x": ".03 | -.03", "lean": "-3 | 3"},
        sided="arm",
        vigour=0.4,
        groove=0.8,
    ),
    "punch": Move(
        arms=("fists 96/94", "fists 150/155", "fists 70*.6/100*.4"),
        body={"lean": "9", "x": ".04", "drop": ".04", "yaw": "-18"},
        mirror=True,
        sided="arm",
        vigour=0.85,
        groove=0.7,
    ),
    "victory": Move(
        beats=4,
        arms=("148/150 | 140/180*.8 | 154/156 | 140/180*.8",),
        feet=("=^.06 =^.06 | = =", "-.15 .15"),
        body={"lean": "6 | 0 | -6 | 0", "drop": ".0 | .05", "head": "-6 | 0 | 6 | 0"},
        vigour=0.8,
        groove=0.7,
    ),
    "cabbage-patch": Move(
        beats=4,
        arms=("@-.12:.72 @-.06:.72 | @-.04:.62 @.04:.62 | @.06:.72 @.12:.72 | @-.04:.78 @.04:.78",),
        body={
            "x": "-.04 | .0 | .04 | .0",
            "lean": "-6 | 2 | 6 | -2",
            "drop": ".02 | .05 | .02 | .0",
        },
        sided="way",
        vigour=0.6,
        groove=0.7,
    ),
    "egyptian": Move(
        arms=("88/4 88/176",),
        feet=("-.09 .09", "-.12 .12"),
        body={"x": ".05", "head": "-10", "yaw": "22", "drop": ".02"},
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.7,
    ),
    "chicken": Move(
        arms=("84/-95 | 30/-146",),
        feet=("-.09k.8 .09k.8", "-.07k.1 .07k.1 | -.07k.9 .07k.9"),
        body={"drop": ".03 | .08", "head": "8 | -8", "height": ".02 | -.04"},
        vigour=0.65,
        groove=0.7,
    ),
    "ymca": Move(
        beats=8,
        arms=(
            "136/140 | 150/152 | 130/-58 | 122/-48 | 196/222 64/100 | 186/214 54/92 |"
            "162/240 | 156/228",
        ),
        body={"x": ".02 | -.02", "lean": "4 | -4"},
        vigour=0.7,
        groove=0.8,
    ),
    "sprinkler": Move(
        beats=4,
        arms=("122/242 -30/-60 | 122/242 10/20 | 122/242 60/70 | 122/242 100/100",),
        body={
            "yaw": "-30 | -10 | 10 | 30",
            "lean": "-5 | -2 | 2 | 5",
            "x": "-.03 | -.01 | .01 | .03",
        },
        sided="arm",
        vigour=0.55,
    ),
    "lasso": Move(
        arms=("hips 150/120 | hips 165/238", "loose 150/120 | loose 165/238"),
        body={"x": ".05 | -.05", "lean": "5 | -5", "head": "5 | -5"},
        sided="arm",
        vigour=0.75,
    ),
    "swim": Move(
        arms=("40/60 150/190", "20/30 140/230"),
        body={"lean": "-9", "x": "-.03", "yaw": "14", "drop": ".03"},
        mirror=True,
        sided="arm",
        vigour=0.5,
    ),
    "air-guitar": Move(
        arms=("70/100 24/-40 | 66/112 30/-75",),
        feet=("-.12 .15k.9 | -.12 .15", "-.15k.8 .1"),
        body={"lean": "-12 | -4", "head": "12 | -8", "drop": ".05 | .02"},
        sided="arm",
        vigour=0.85,
        groove=0.7,
    ),
    "shrug": Move(
        arms=("36/96 | 14/60", "30/110 | 10/12", "50/130 | 30/90"),
        body={"height": "-.05 | .02", "head": "12 | -12", "width": ".04 | -.01"},
        vigour=0.2,
        groove=0.8,
    ),
}

MOVE_TABLE: dict[str, Move] = BODY_MOVES | LEG_MOVES | ARM_MOVES
