"""Moves of the arms: points, waves, claps, poses."""

from __future__ import annotations

from .move import Move

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
