"""How other programs call the weights that we hold: renaming tables, as data.

A rule is a regular expression and its replacement. The rules of a table apply in order, every rule
to what the one before it left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Rules = tuple[tuple[str, str], ...]

# What transformers 5 calls the parts of CLIP and AST -> what transformers 4 and all published files
# call them. Our files use the published names, so that a file fits every version of the library.
PUBLISHED: Rules = (
    (r"^text\.clip\.(?!text_model\.)", r"text.clip.text_model."),
    (r"^music\.ast\.layers\.(\d+)\.", r"music.ast.encoder.layer.\1."),
    (r"^(music\.ast\..*)\.attention\.q_proj\.", r"\1.attention.attention.query."),
    (r"^(music\.ast\..*)\.attention\.k_proj\.", r"\1.attention.attention.key."),
    (r"^(music\.ast\..*)\.attention\.v_proj\.", r"\1.attention.attention.value."),
    (r"^(music\.ast\..*)\.attention\.o_proj\.", r"\1.attention.output.dense."),
    (r"^(music\.ast\..*)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"^(music\.ast\..*)\.mlp\.fc2\.", r"\1.output.dense."),
)

# AST as published (a classifier around it) -> ours.
AST: Rules = ((r"^audio_spectrogram_transformer\.", ""), (r"^", "music.ast."))
AST_IGNORED = re.compile(r"^classifier\.")

# AnimateDiff's own files and diffusers' MotionAdapter -> ours.
MOTION: Rules = (
    (r"^module\.", ""),
    (r"\.motion_modules\.", ".motion."),
    (r"\.temporal_transformer\.", "."),
    (r"\.transformer_blocks\.0\.attention_blocks\.", ".attentions."),
    (r"\.transformer_blocks\.0\.norms\.", ".attention_norms."),
    (r"\.transformer_blocks\.0\.attn1\.", ".attentions.0."),
    (r"\.transformer_blocks\.0\.attn2\.", ".attentions.1."),
    (r"\.transformer_blocks\.0\.norm1\.", ".attention_norms.0."),
    (r"\.transformer_blocks\.0\.norm2\.", ".attention_norms.1."),
    (r"\.transformer_blocks\.0\.(ff_norm|norm3)\.", ".ff_norm."),
    (r"\.transformer_blocks\.0\.ff\.", ".ff."),
    (r"^", "unet."),
)
MOTION_POSITIONS = re.compile(r"\.pos_(encoder|embed)\.pe$")

# Attention of autoencoders saved before diffusers renamed it.
OLD_VAE: Rules = (
    (r"(attentions\.\d+)\.query\.", r"\1.to_q."),
    (r"(attentions\.\d+)\.key\.", r"\1.to_k."),
    (r"(attentions\.\d+)\.value\.", r"\1.to_v."),
    (r"(attentions\.\d+)\.proj_attn\.", r"\1.to_out.0."),
)
# A constant that older versions of transformers stored among CLIP's weights.
CLIP_IGNORED = re.compile(r"\.position_ids$")

# Prefixes of the parts in a single-file Stable Diffusion.
LDM_PARTS = {
    "unet": "model.diffusion_model.",
    "vae": "first_stage_model.",
    "text": "cond_stage_model.transformer.",
}

LDM_RESNET: Rules = (
    (r"\.in_layers\.0\.", ".norm1."),
    (r"\.in_layers\.2\.", ".conv1."),
    (r"\.emb_layers\.1\.", ".time_emb_proj."),
    (r"\.out_layers\.0\.", ".norm2."),
    (r"\.out_layers\.3\.", ".conv2."),
    (r"\.skip_connection\.", ".conv_shortcut."),
)

LDM_VAE: Rules = (
    (r"\.down\.(\d+)\.block\.", r".down_blocks.\1.resnets."),
    (r"\.down\.(\d+)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.up\.(\d+)\.block\.", r".up_blocks.\1.resnets."),
    (r"\.up\.(\d+)\.upsample\.", r".up_blocks.\1.upsamplers.0."),
    (r"\.mid\.block_1\.", ".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", ".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.norm\.", ".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", ".mid_block.attentions.0.to_out.0."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    (r"\.norm_out\.", ".conv_norm_out."),
)


def rename(name: str, rules: Rules) -> str:
    """`name` after every rule of a table."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def published_names(own: Iterable[str]) -> dict[str, str]:
    """Name in a file -> name in the model built here, for the model's names `own`."""
    return {rename(name, PUBLISHED): name for name in own}


def ldm_unet_blocks(levels: int, layers: int, attention: tuple[bool, ...]) -> dict[str, str]:
    """The original UNet's numbering of its blocks -> diffusers' names, prefix by prefix."""
    names = {
        "time_embed.0.": "time_embedding.linear_1.",
        "time_embed.2.": "time_embedding.linear_2.",
        "input_blocks.0.0.": "conv_in.",
        "middle_block.0.": "mid_block.resnets.0.",
        "middle_block.1.": "mid_block.attentions.0.",
        "middle_block.2.": "mid_block.resnets.1.",
        "out.0.": "conv_norm_out.",
        "out.2.": "conv_out.",
    }
    down = up = 0
    for level in range(levels):
        for layer in range(layers):
            down += 1
            names[f"input_blocks.{down}.0."] = f"down_blocks.{level}.resnets.{layer}."
            names[f"input_blocks.{down}.1."] = f"down_blocks.{level}.attentions.{layer}."
        if level < levels - 1:
            down += 1
            names[f"input_blocks.{down}.0.op."] = f"down_blocks.{level}.downsamplers.0.conv."
    for level in range(levels):
        attended = attention[levels - 1 - level]
        for layer in range(layers + 1):
            names[f"output_blocks.{up}.0."] = f"up_blocks.{level}.resnets.{layer}."
            if attended:
                names[f"output_blocks.{up}.1."] = f"up_blocks.{level}.attentions.{layer}."
            up += 1
        if level < levels - 1:
            at = f"output_blocks.{up - 1}.{int(attended) + 1}."
            names[f"{at}conv."] = f"up_blocks.{level}.upsamplers.0.conv."
    return names
