"""Vocabulary of the captions.

A wording of a move is a verb, with what follows it, and after a colon a plural noun if there is a
usual one. `&` joins two verbs.
"""

from __future__ import annotations

WORDS: dict[str, tuple[str, ...]] = {
    "hop": ("hop: hops", "jump: jumps", "bounce: bounces", "leap: leaps", "jump up and down"),
    "slide": (
        *("slide: slides", "glide: glides", "skate: skating moves"),
        *("drift sideways: sideways drifts", "slide side to side: side slides"),
    ),
    "sway": (
        *("sway: sways", "rock: rocking moves", "swing: swings", "tilt back and forth: tilts"),
        "sway side to side: side sways",
    ),
    "spin": (
        *("spin: spins", "turn around: turns", "whirl: whirls", "spin around: full spins"),
        "pirouette: pirouettes",
    ),
    "squash": (
        *("squash: squashes", "squish: squishes", "crouch: crouches", "squat: squats"),
        "squash & stretch",
    ),
    "shimmy": (
        *("shimmy: shimmies", "shake: shakes", "wiggle: wiggles", "jiggle: jiggles"),
        "shake its shoulders: shoulder shakes",
    ),
    "body-wave": (
        *("ripple: ripples", "do the wave: body waves", "wave its body", "undulate: undulations"),
        "bend from side to side: side bends",
    ),
    "step-touch": (
        *("step-touch: step-touches", "do a two-step: two-steps", "step touch: step touches"),
        *("step side to side: side steps", "step: steps"),
    ),
    "nod": ("nod: nods", "bob its head: head bobs", "nod its head: head nods", "nod along"),
    "pulse": (
        *("pulse: pulses", "swell: swellings", "grow & shrink", "throb: throbs", "puff up: puffs"),
    ),
    "twist": (
        *("twist: twists", "swivel: swivels", "do the twist", "twist its body: body twists"),
        "twist its hips",
    ),
    "body-roll": (
        *("body-roll: body rolls", "roll its body", "do body rolls", "do a body roll"),
        "roll its chest: chest rolls",
    ),
    "reach": (
        *("reach up: high reaches", "reach for the sky: sky reaches", "reach for the stars"),
        *("stretch up: stretches", "reach up & dip its hips"),
    ),
    "snake": (
        *("snake: snaking moves", "do the snake: snake moves", "slither: slithers"),
        *("move like a snake", "wriggle: wriggles"),
    ),
    "hip-sway": (
        *("sway its hips: hip sways", "swing its hips: hip swings", "shake its hips: hip shakes"),
        *("wiggle its bottom", "rock its hips", "move its hips"),
    ),
    "bow": (
        *("bow: bows", "take a bow", "bow down: deep bows", "curtsy: curtsies"),
        "bow to the audience",
    ),
    "head-bang": (
        *("head-bang: head-bangs", "headbang: headbangs", "bang its head: head bangs"),
        *("rock out", "throw its head"),
    ),
    "roll": (
        *(
            "roll: rolls",
            "tumble: tumbles",
            "roll over",
            "rotate: rotations",
            "somersault: somersaults",
        ),
    ),
    "cartwheel": (
        *("cartwheel: cartwheels", "do a cartwheel", "do cartwheels", "turn a cartwheel"),
        "wheel through the air: wheels",
    ),
    "jumping-jack": (
        *("do jumping jacks: jumping jacks", "do a jumping jack", "do star jumps: star jumps"),
        *("jump like a jumping jack", "star-jump"),
    ),
    "charleston": (
        *("do the charleston: charleston steps", "dance the charleston", "charleston"),
        *("dance a charleston: charleston kicks", "dance like in the twenties"),
    ),
    "running-man": (
        *("do the running man: running man steps", "run: running steps", "run on the spot"),
        *("dance the running man", "jog: jogging steps"),
    ),
    "grapevine": (
        *("do the grapevine: grapevines", "grapevine: grapevine steps", "dance a grapevine"),
        *("step & cross", "cross its feet: cross steps"),
    ),
    "kick": (
        *("kick: kicks", "kick its legs: leg kicks", "do kicks", "kick out: low kicks"),
        "kick the air",
    ),
    "can-can": (
        *("do the can-can: can-can kicks", "dance the can-can", "can-can: can-can steps"),
        *("do the cancan: cancan kicks", "kick its legs up high: high kicks", "dance the cancan"),
    ),
    "march": (
        *("march: marching steps", "lift its knees: knee lifts", "march on the spot"),
        *("raise its knees: knee raises", "stomp: stomps", "parade: parade steps"),
    ),
    "salsa": (
        *("dance salsa: salsa steps", "salsa: salsa moves", "do the salsa", "dance the salsa"),
        *("do the mambo: mambo steps", "dance latin style: latin steps"),
    ),
    "moonwalk": (
        *("moonwalk: moonwalks", "do the moonwalk: moonwalk steps", "walk backwards"),
        *("dance the moonwalk", "glide backwards: backward glides"),
    ),
    "lunge": (
        *("lunge: lunges", "do lunges", "do side lunges: side lunges", "lunge sideways"),
        "step out deep: deep steps",
    ),
    "disco-point": (
        *("disco: disco moves", "do the disco point: disco points", "point up & down"),
        *("point its finger: finger points", "dance disco", "strike disco poses: disco poses"),
    ),
    "hand-wave": (
        *("wave: waves", "wave hello", "wave its hand: hand waves", "greet everybody: greetings"),
        *("wave an arm", "wave goodbye"),
    ),
    "arm-wave": (
        *("do the arm wave: arm waves", "wave through its arms", "ripple its arms: arm ripples"),
        *("do an arm wave", "roll its arms: arm rolls"),
    ),
    "clap": (
        *("clap: claps", "clap its hands: hand claps", "clap along", "applaud: clapping moves"),
    ),
    "raise-the-roof": (
        *("raise the roof", "push up the roof", "push its hands up: upward pushes"),
        *("pump the ceiling", "lift the roof"),
    ),
    "robot": (
        *("do the robot: robot moves", "move like a robot", "dance the robot: robot steps"),
        *("robot dance", "act like a machine: mechanical moves"),
    ),
    "floss": (
        *(
            "floss: floss moves",
            "do the floss: flosses",
            "dance the floss",
            "do the flossing dance",
        ),
        "floss dance",
    ),
    "dab": ("dab: dabs", "do the dab", "do a dab", "hit a dab", "strike a dab: dab poses"),
    "macarena": (
        *("do the macarena: macarena moves", "dance the macarena", "macarena"),
        *("dance a macarena", "do the macarena arms"),
    ),
    "punch": (
        *("punch: punches", "box: boxing moves", "throw punches", "punch the air: air punches"),
        *("jab: jabs", "shadowbox"),
    ),
    "victory": (
        *("celebrate: victory moves", "cheer: cheers", "raise both fists", "do a victory dance"),
        "throw its arms up in victory: victory poses",
    ),
    "cabbage-patch": (
        *("do the cabbage patch: cabbage patch moves", "dance the cabbage patch"),
        *("stir the pot", "circle its fists: fist circles", "cabbage patch"),
    ),
    "egyptian": (
        *("walk like an egyptian", "do the egyptian: egyptian moves", "dance like an egyptian"),
        *("dance like a pharaoh: pharaoh poses", "do the egyptian walk"),
    ),
    "chicken": (
        *("do the chicken dance: chicken moves", "flap like a chicken: wing flaps"),
        *("flap its elbows: elbow flaps", "dance like a chicken", "flap its wings"),
    ),
    "ymca": (
        *("do the ymca: ymca moves", "dance the ymca", "dance to ymca", "do the ymca arms"),
        "spell ymca: ymca letters",
    ),
    "sprinkler": (
        *("do the sprinkler: sprinkler moves", "dance the sprinkler", "sprinkler"),
        *("sprinkle like a lawn sprinkler", "spray like a sprinkler"),
    ),
    "lasso": (
        *("swing a lasso: lasso swings", "throw a lasso: lasso throws", "lasso: lasso moves"),
        *("dance like a cowboy: cowboy moves", "circle an arm overhead: arm circles"),
    ),
    "swim": (
        *("swim: swimming moves", "do the swim", "do the front crawl: swim strokes"),
        *("swim through the air", "paddle with its arms: crawl strokes"),
    ),
    "air-guitar": (
        *("play air guitar: air guitar moves", "play the air guitar", "air-guitar"),
        *("strum a guitar: guitar strums", "rock the guitar: guitar moves"),
    ),
    "shrug": (
        *("shrug: shrugs", "shrug its shoulders: shoulder shrugs", "lift its shoulders"),
        "bounce its shoulders: shoulder bounces",
    ),
}

FREE = (
    *("dance: dances", "just dance", "do a dance: dance moves", "show a dance: moves"),
    *("move: movements", "groove: grooves", "party: party moves", "boogie: boogie moves"),
    *("dance freely: free moves", "dance as it likes", "have fun", "move its body", "get down"),
)
"""Wordings that leave the move to the song."""

SIZE_ADJECTIVES = {
    "small": ("small", "little", "tiny", "subtle", "gentle"),
    "medium": ("medium", "moderate", "medium-sized", "normal"),
    "big": ("big", "large", "huge", "wide", "giant"),
}
SIZE_ADVERBS = {
    "small": ("a little", "slightly", "just a bit", "gently", "only a tiny bit", "subtly"),
    "medium": ("moderately", "a medium amount", "to a medium degree", "normally"),
    "big": ("a lot", "hugely", "wildly", "as far as it can", "very much", "in a big way"),
}
MOOD_ADJECTIVES = {
    "happy": ("happy", "cheerful", "joyful", "merry"),
    "sharp": ("sharp", "snappy", "crisp", "jerky"),
    "smooth": ("smooth", "fluid", "soft", "flowing"),
    "lazy": ("lazy", "sleepy", "tired", "weary"),
}
MOOD_ADVERBS = {
    "happy": ("happily", "cheerfully", "joyfully", "with joy", "in a good mood"),
    "sharp": ("sharply", "snappily", "crisply", "with sharp hits", "like clockwork"),
    "smooth": ("smoothly", "fluidly", "softly", "in a smooth way", "like water"),
    "lazy": ("lazily", "sleepily", "tiredly", "in a lazy way", "without much effort"),
}
SIDE_PHRASES = {
    "way": (
        *("to the {side}", "towards the {side}", "{side} first", "starting on the {side}"),
        *("beginning on the {side}", "first to the {side}", "leading with the {side}"),
    ),
    "arm": (
        *("with the {side} arm", "with its {side} hand", "{side} arm first", "{side} hand first"),
        *("starting with the {side} arm", "leading with the {side} hand", "on the {side}"),
    ),
    "leg": (
        *("with the {side} leg", "with its {side} foot", "{side} leg first", "{side} foot first"),
        *("starting with the {side} leg", "leading with the {side} foot", "to the {side}"),
    ),
}
TURN_PHRASES = {
    "left": ("anticlockwise", "counterclockwise", "to the left", "turning left"),
    "right": ("clockwise", "to the right", "turning right"),
}
ARM_PHRASES = {
    "hips": ("with hands on hips", "hands on its hips", "with its hands at the waist"),
    "up": ("with both arms up", "arms in the air", "with raised arms", "hands in the air"),
    "out": ("with arms spread", "arms out", "with its arms stretched out", "arms like wings"),
}
SUBJECTS = (
    *("it", "the sticker", "the emoji", "a character", "my buddy", "the mascot", "this guy"),
    *("our friend", "the picture", "the figure", "the dancer"),
)
OPENINGS = (
    *("dancing to the music: ", "on the dance floor, ", "in the video ", "to this song, "),
    *("listen and watch: ", "everybody looks on as "),
)
ENDINGS = (
    *("", ".", "!", " to the music", " to the song", " with the song", " on the dance floor"),
    ", please",
)

DOUBLED = {"hop", "nod", "bob", "step", "spin", "swim", "clap", "dab", "shrug", "jog", "squat"}
DOUBLED |= {"flap", "jab", "grin", "pat", "hit", "throb", "run", "strum", "stir", "can-can"}
"""Verbs that double their last letter before -ing."""
