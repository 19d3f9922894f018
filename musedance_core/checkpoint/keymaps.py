"""Names of the same weights in other programs' files, as data.

A rule is a regular expression and its replacement. The rules of a table apply in order, each to the
result of the one before. A harmless pattern names entries that such files hold besides the weights
of the model, and that kind of entry; anything else that is unknown is refused.
"""

from __future__ import annotations

import re

Rules = tuple[tuple[str, str], ...]
Harmless = tuple[tuple[re.Pattern[str], str], ...]

# CLIP and AST in transformers 5 -> in transformers 4, in all published files, and ours.
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

# State of a trainer beside the weights of any PyTorch file.
TRAINER: Harmless = (
    (
        re.compile(
            r"^(epoch|global_step|pytorch-lightning_version|callbacks|loops|optimizer(_states)?"
            r"|lr_schedulers|hparams_name|hyper_parameters|native_amp_scaling_state)$"
        ),
        "training state",
    ),
)

# AST as published, in a classifier -> ours.
AST: Rules = ((r"^audio_spectrogram_transformer\.", ""), (r"^", "music.ast."))
AST_HARMLESS: Harmless = ((re.compile(r"^classifier\."), "classifier of sounds"), *TRAINER)

# AnimateDiff's own files (v1, v2, v3) and diffusers' MotionAdapter -> ours.
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
MOTION_HARMLESS: Harmless = (
    (re.compile(r"^(module\.)?animatediff_config(\.|$)"), "configuration of AnimateDiff"),
    *TRAINER,
)

# Attention of the autoencoder under names that diffusers has given up -> today's names.
OLD_VAE: Rules = (
    (r"(attentions\.\d+)\.query\.", r"\1.to_q."),
    (r"(attentions\.\d+)\.key\.", r"\1.to_k."),
    (r"(attentions\.\d+)\.value\.", r"\1.to_v."),
    (r"(attentions\.\d+)\.proj_attn\.", r"\1.to_out.0."),
)

# Prefixes of the parts in a single-file Stable Diffusion.
LDM_PARTS = {
    "unet": "model.diffusion_model.",
    "vae": "first_stage_model.",
    "text": "cond_stage_model.transformer.",
}

# Harmless entries of Stable Diffusion: of each part by the part's own names, and of the single file
# outside its parts.
LDM_HARMLESS: dict[str, Harmless] = {
    "unet": (),
    "vae": ((re.compile(r"^(loss|model_ema)\."), "training of the autoencoder"),),
    "text": (
        (re.compile(r"\.position_ids$"), "constant position ids of CLIP"),
        (
            re.compile(r"^(text_projection\.weight|visual_projection\.weight|logit_scale)$"),
            "projections of CLIP to its common space",
        ),
        (re.compile(r"^vision_model\."), "image encoder of CLIP"),
    ),
    "file": (
        (re.compile(r"^model_ema\."), "moving average of the denoiser"),
        (
            re.compile(
                r"^(betas|(sqrt_|log_)?(one_minus_)?alphas_cumprod(_prev)?"
                r"|sqrt_recip(m1)?_alphas_cumprod|posterior_(variance|log_variance_clipped)"
                r"|posterior_mean_coef[12]|lvlb_weights|logvar|scale_factor)$"
            ),
            "noise schedule",
        ),
        (
            re.compile(r"^cond_stage_model\.(text_projection(\.weight)?|logit_scale)$"),
            "projections of CLIP to its common space",
        ),
        *TRAINER,
    ),
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
    """Apply all rules of a table to `name`."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def ldm_unet_blocks(levels: int, layers: int, attention: tuple[bool, ...]) -> dict[str, str]:
    """Prefixes of the original UNet's numbered blocks -> diffusers' prefixes."""
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
            upsampler = f"output_blocks.{up - 1}.{int(attended) + 1}.conv."
            names[upsampler] = f"up_blocks.{level}.upsamplers.0.conv."
    return names
