"""All figures by name: label, better direction, number format."""

from __future__ import annotations

from dataclasses import dataclass

NO_TRUTH = "no truth given"
NO_BEATS = "no beats in the clips"
NO_JUDGE = "only for the sticker world, from 16 frames on"
NO_DANCE = "only for checkpoints that plan dances, in the sticker world, from 16 frames on"


@dataclass(frozen=True)
class Measure:
    """A figure's label and format.

    better: "higher", "lower" or "" (neither: nearest to the truth's, or to 0). needs: the note
    where it could not be measured.
    """

    label: str
    better: str
    digits: int
    needs: str


TABLE_2 = {
    "psnr": Measure("PSNR", "higher", 2, NO_TRUTH),
    "ssim": Measure("SSIM", "higher", 3, NO_TRUTH),
    "lpips": Measure("LPIPS", "lower", 3, "no backbone file given"),
    "fvd": Measure("FVD", "lower", 2, "no backbone file given"),
    "world_frechet": Measure("world-Fréchet", "lower", 3, NO_JUDGE),
}
BEATS = {
    "alignment": Measure("beat alignment", "higher", 3, NO_BEATS),
    "motion_to_music": Measure("motion to music", "higher", 3, NO_BEATS),
    "music_to_motion": Measure("music to motion", "higher", 3, NO_BEATS),
    "coverage": Measure("beats danced to", "higher", 3, NO_BEATS),
    "alignment_shuffled": Measure("with other clips' music", "", 3, "no other clip's beats"),
    "alignment_gain": Measure("gain over other music", "higher", 3, "no other clip's beats"),
    "alignment_chance": Measure("at chance", "", 3, NO_BEATS),
    "lag": Measure("lag behind the beat (s)", "", 3, "no motion periodic with the beat"),
    "lag_share": Measure("share with the beat", "higher", 3, NO_BEATS),
}
MOTION = {
    "motion_correlation": Measure("motion like the truth's", "higher", 3, NO_TRUTH),
    "motion_ratio": Measure("amount of motion / truth's", "", 3, NO_TRUTH),
    "truth_lag": Measure("lag behind the truth (s)", "", 3, NO_TRUTH),
    "move": Measure("move recognised", "higher", 3, NO_DANCE),
    "side": Measure("side recognised", "higher", 3, NO_DANCE),
    "size": Measure("size recognised", "higher", 3, NO_DANCE),
}
CONSISTENCY = {
    "identity": Measure("identity", "higher", 3, "no embedder given"),
    "drift": Measure(
        "identity, last / first segment", "higher", 3, "one whole segment or no embedder"
    ),
    "background": Measure("background error (levels)", "lower", 2, "no still background"),
    "flicker": Measure("flicker (levels)", "lower", 2, "no still background"),
    "seam": Measure("jump at seams", "", 2, "one segment"),
}
TABLES = {
    "Frames and video": TABLE_2,
    "Beats": BEATS,
    "Motion": MOTION,
    "Consistency": CONSISTENCY,
}
PAIRED = ("psnr", "ssim", "lpips", "fvd", "motion_correlation", "motion_ratio", "truth_lag")
"""Figures that compare a video with its truth."""
MEASURES = {name: measure for table in TABLES.values() for name, measure in table.items()}
