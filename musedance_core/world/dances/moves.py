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
        body={
            "lean": "18",
            "bend": "-.06",
            "head": "-12",
            "yaw": "26",
            "drop": ".03",
            "x": "-.015",
        },
        mirror=True,
        sided="way",
        vigour=0.6,
        groove=0.6,
    ),
    "body-wave": Move(
        arms=("30/55 75/115", "148/175 34/50 | 165/195 22/38", "vee 100/130 | 160/175 100/90"),
        feet=("-.1 .1", "-.13 .13"),
        body={"bend": ".15", "head": "10", "x": ".03", "drop": ".01"},
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.6,
    ),
    "step-touch": Move(
        beats=4,
        feet=("-.14 .13 | .02^.02~.03 .13",),
        body={"x": ".01 | .09", "lean": "-4 | 7", "drop": ".05 | .015", "head": "4 | -4"},
        mirror=True,
        sided="way",
        vigour=0.4,
        groove=0.35,
    ),
    "nod": Move(
        body={"head": "30 | -8", "lean": "8 | -3", "drop": ".06 | .0", "height": "-.045 | .015"},
        vigour=0.15,
        groove=0.5,
    ),
    "pulse": Move(
        arms=("72/88 | 28/40", "105/135 | 50/75", "48/72 | 10/8"),
        feet=("-.1 .1", "-.14 .14"),
        body={"width": ".17 | -.12", "height": ".13 | -.12"},
        vigour=0.4,
        groove=0.4,
    ),
    "twist": Move(
        arms=("34/62 34/-52", "20/80 24/-40", "100/150 62/85", "124/160 110/128"),
        feet=("-.1k.9 .1k.1", "-.12k.9 .12k.1"),
        body={"yaw": "40", "drop": ".06", "lean": "6", "x": ".03"},
        mirror=True,
        sided="way",
        vigour=0.6,
        groove=0.6,
    ),
    # Places after dance-body-roll of Mesh2Motion: low on the open leg, hands up to the chest.
    "body-roll": Move(
        beats=8,
        arms=(
            "22/48 36/0 | 84/-80 64/-105 | 32/-32 36/-55 | 14/-8 32/-14",
            "vee | 150/190 | up | 140/150",
            "20/-70 | 30/-40 | 30/30 | 20/10",
        ),
        feet=("-.09 .2^.02~.08k.9 | -.09 .17^.01 | -.09 .17~-.05 | -.09 .17^.02",),
        body={
            "x": "-.02 | .0 | .03 | .05",
            "lean": "-7 | 1 | 8 | 2",
            "drop": ".11 | .04 | .0 | .05",
            "head": "-20 | -8 | 12 | 18",
            "bend": ".0 | -.06 | -.02 | .06",
            "height": "-.03 | .02 | .03 | -.02",
        },
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.3,
    ),
    # Places after dance-reach-hip of Mesh2Motion: one arm up, hips down to the side, the other up.
    "reach": Move(
        beats=4,
        arms=("8/10 150/174 | 5/12 0/14", "20/45 158/168 | 30/20 -8/20"),
        feet=("-.12 .14^.02~-.03 | -.08 .17^.05~.1k.9",),
        body={
            "x": ".03 | -.04",
            "drop": "-.02 | .12",
            "lean": "4 | 9",
            "head": "-5 | -20",
            "height": ".03 | -.02",
        },
        mirror=True,
        sided="arm",
        vigour=0.55,
        groove=0.4,
    ),
    "snake": Move(
        beats=4,
        arms=("vee | 160/190 120/130", "20/60 60/20 | 40/20 20/50", "head"),
        feet=("-.13 .13",),
        body={
            "x": "0 | .08",
            "lean": "19 | 0",
            "bend": "0 | .1",
            "head": "18 | 2",
            "drop": ".01 | .06",
        },
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.2,
    ),
    "hip-sway": Move(
        arms=("hips", "hips 24/30 | hips 36/50", "hips head | hips 114/236"),
        feet=("-.09 .09k.7", "-.12 .12"),
        body={"x": ".095", "lean": "-12", "bend": ".075", "head": "7", "drop": ".025"},
        mirror=True,
        sided="way",
        vigour=0.3,
        groove=0.6,
    ),
    # Arms after bow of Mesh2Motion: forearms before the belly.
    "bow": Move(
        beats=4,
        arms=(
            "44*.7/-84 85/95 | 34*.7/-84 45/-100 | 30/20 60/50 | 80/95 85/100",
            "20/-70 20/-70 | 44*.7/-84 50*.8/-100 | 20/10 20/10 | 60/75 60/75",
        ),
        feet=("-.08 .12", "-.06 .12~.06 | -.06 .12~.06 | = = | = ="),
        body={
            "lean": "16 | 36 | 14 | -5",
            "head": "14 | 28 | 10 | -8",
            "drop": ".02 | .06 | .02 | -.01",
            "height": "-.05 | -.13 | -.04 | .04",
            "x": "-.01 | -.04 | -.01 | .02",
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
        beats=4,
        arms=("30/110 | 50/130", "chest", "70/80 | out"),
        feet=("-.1^.04~.1 .1^.04~.1", "-.14 .14"),
        body={"drop": ".06 | .02", "x": "-.03 | .03"},
        sided="turn",
        vigour=0.7,
        groove=0.4,
        rolls=".25 .5 .75 1",
    ),
    "cartwheel": Move(
        beats=8,
        arms=("up | vee | 140/140 | vee",),
        feet=("-.14 .14 | -.22^.03 .22^.03 | -.26^.06 .26^.06 | -.22^.03 .22^.03",),
        body={"x": "-.16 | -.08 | .0 | .08 | .16 | .08 | .0 | -.08"},
        sided="turn",
        vigour=0.95,
        groove=0.3,
        rolls=".25 .5 .75 1 .75 .5 .25 0",
    ),
}

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

ARM_MOVES: dict[str, Move] = {
    "disco-point": Move(
        arms=(
            "hips 145/146, hips 52*.5/53*.5 | hips -42/-40, hips 52*.5/53*.5",
            "loose 150/150, loose 52*.5/53*.5 | loose -46/-44, loose 52*.5/53*.5",
        ),
        body={"x": ".05 | -.05", "lean": "5 | -5", "head": "6 | -4"},
        sided="arm",
        vigour=0.6,
        posed=True,
    ),
    "hand-wave": Move(
        arms=("loose 112/128 | loose 122/206", "hips 120/132 | hips 130/210"),
        body={"head": "8 | 0", "lean": "6 | -5", "x": ".035 | -.035"},
        sided="arm",
        vigour=0.25,
    ),
    "arm-wave": Move(
        beats=4,
        arms=("124/40 88/96 | 66/138 112/64 | 90/104 62/140 | 84/72 126/42",),
        body={"x": "-.08 | .0 | .08 | .0", "lean": "-9 | 3 | 9 | -3", "head": "-8 | 0 | 8 | 0"},
        sided="way",
        vigour=0.4,
        groove=0.6,
        posed=True,
    ),
    "clap": Move(
        arms=("10/245 | 52/128", "165/238 | 128/150", "10/245 | 20/200"),
        body={"drop": ".065 | .0", "lean": "4 | -4", "head": "6 | -6", "height": "-.02 | .01"},
        vigour=0.5,
        groove=0.7,
    ),
    "raise-the-roof": Move(
        arms=("154/178 | 66/172*.7",),
        body={"drop": ".0 | .08", "height": ".03 | -.03"},
        vigour=0.75,
        groove=0.7,
        posed=True,
    ),
    "robot": Move(
        beats=4,
        arms=("12/92 80/2 | 80/2 80/2", "80/2 12/92 | 12/92 12/92"),
        feet=("-.09 .09", "-.09 .12 | -.09 .09"),
        body={"lean": "10 | 2", "head": "-18 | 16", "x": ".05 | .0", "drop": ".0 | .04"},
        mirror=True,
        sided="arm",
        vigour=0.5,
        posed=True,
        groove=0.2,
    ),
    "floss": Move(
        arms=("-34/-36 42/44",),
        feet=("-.11 .11", "-.09 .09"),
        body={"x": "-.085", "lean": "5", "bend": "-.04", "drop": ".03"},
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
        posed=True,
    ),
    "macarena": Move(
        beats=8,
        arms=(
            "hips 86*.8/88*.8 | 86*.8/88*.8 86*.8/88*.8 | 86*.8/88*.8 20/-128 | 20/-128 20/-128 |"
            "20/-128 112/-118 | 112/-118 112/-118 | 112/-118 hips | hips hips",
        ),
        feet=("-.1 .1",),
        body={"x": ".06 | -.06", "lean": "-6 | 6", "drop": ".03"},
        sided="arm",
        vigour=0.4,
        groove=0.6,
        posed=True,
    ),
    # Arms and lean after fighting-right-jab of Mesh2Motion.
    "punch": Move(
        arms=("54/252 86/88", "fists 150/155", "20/220 84/86", "54/-108 92*.9/98*.8"),
        body={"lean": "11", "x": ".05", "drop": ".05", "head": "-6", "yaw": "-16"},
        mirror=True,
        sided="arm",
        vigour=0.85,
        groove=0.7,
    ),
    # The last arms after victory of Mesh2Motion: a jump with one fist up.
    "victory": Move(
        arms=("150/152 | 120*.9/190*.7", "vee | 70/165*.7", "20/88*.5 163/190 | 24/40 80/170*.6"),
        feet=("=^.07 =^.07 | = =", "-.15 .15"),
        body={"lean": "5 | -5", "drop": ".0 | .07", "head": "-8 | 4", "height": ".03 | -.02"},
        sided="arm",
        vigour=0.8,
        groove=0.7,
        posed=True,
    ),
    "cabbage-patch": Move(
        beats=4,
        arms=(
            "26*.8/34*.7 -16*.8/-88 | 14/-58*.8 14/-58*.8 |"
            "-16*.8/-88 26*.8/34*.7 | 40*.7/-104*.8 40*.7/-104*.8",
        ),
        body={
            "x": "-.05 | .0 | .05 | .0",
            "lean": "-7 | 0 | 7 | 0",
            "drop": ".02 | .07 | .02 | -.02",
        },
        sided="way",
        vigour=0.6,
        groove=0.5,
    ),
    "egyptian": Move(
        arms=("88/4 88/176",),
        feet=("-.09 .09", "-.12 .12"),
        body={"x": ".06", "head": "-12", "yaw": "22", "drop": ".02"},
        mirror=True,
        sided="way",
        vigour=0.5,
        groove=0.7,
        posed=True,
    ),
    "chicken": Move(
        arms=("86/-95 | 28/-150",),
        feet=("-.09k.8 .09k.8", "-.07k.1 .07k.1 | -.07k.9 .07k.9"),
        body={"drop": ".0 | .09", "head": "10 | -10", "height": ".03 | -.05", "lean": "3 | -3"},
        vigour=0.65,
        groove=0.5,
    ),
    "ymca": Move(
        beats=8,
        arms=(
            "130/130 | 152/156 | 132/-58 | 112/-46 | 196/222 64/100 | 180/206 46/84 |"
            "160/238 | 148/222",
        ),
        body={
            "x": ".03 | -.03",
            "lean": "4 | -4",
            "drop": ".05 | .0",
            "height": "-.02 | .02",
        },
        vigour=0.7,
        groove=0.7,
        posed=True,
    ),
    "sprinkler": Move(
        beats=8,
        arms=(
            "head -30/-50 | head 0/0 | head 34/40 | head 66/76 |"
            "head 96/100 | head 66/76 | head 34/40 | head 0/0",
        ),
        body={
            "yaw": "-36 | -26 | -8 | 12 | 30 | 22 | 0 | -24",
            "lean": "-9 | 2 | -4 | 8 | 10 | -2 | 4 | -8",
            "x": "-.06 | -.03 | .0 | .03 | .06 | .03 | .0 | -.03",
            "drop": ".05 | .01",
        },
        sided="arm",
        vigour=0.55,
        groove=0.7,
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
        arms=("76/104 20/-14 | 62/122 38/-98",),
        feet=("-.12 .17k.9^.03 | -.12 .17", "-.15k.8 .1"),
        body={"lean": "-18 | -2", "head": "18 | -12", "drop": ".1 | .02", "x": ".03 | -.03"},
        sided="arm",
        vigour=0.85,
        groove=0.6,
    ),
    "shrug": Move(
        arms=("36/96 | 14/60", "30/110 | 10/12", "50/130 | 30/90"),
        body={
            "height": "-.06 | .03",
            "head": "14 | -14",
            "width": ".04 | -.01",
            "drop": ".055 | .0",
        },
        vigour=0.2,
        groove=0.6,
    ),
}

MOVE_TABLE: dict[str, Move] = BODY_MOVES | LEG_MOVES | ARM_MOVES
