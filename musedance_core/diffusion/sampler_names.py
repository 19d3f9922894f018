"""Names of the samplers, apart from their code: help pages and node schemas load without torch."""

SAMPLER_NAMES = ("ddim", "euler", "dpmpp_2m")
