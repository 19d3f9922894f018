"""The public API: a picture, a song and a sentence become a dance video.

pipe = MuseDancePipeline.from_pretrained()
pipe("chick.png", "song.ogg", "big hops").save("dance.mp4")
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .audio.beat_files import Beats
from .audio.beats import BeatGrid
from .audio.mel import song_log_mel
from .audio.tracker import track_beats
from .audio.waveform import Waveform
from .checkpoint.format import load_checkpoint
from .dance.motion import DanceMotion, require_poses
from .dance.openpose_json import read_rig_or_openpose
from .dance.rig import Rig
from .dance_poses import DancePoses, dance_poses
from .dance_video import DanceVideo
from .diffusion.choreography import DanceScore, DanceSettings
from .diffusion.guidance import Guidance
from .diffusion.prompts import Prompts, as_prompts
from .diffusion.resident import ChunkedVAE, ResidentModel, pick_device
from .diffusion.runner import DanceInputs, OnStepInfo, Segment, SegmentRunner
from .diffusion.segment import Reference, SamplingSettings, SongFeatures
from .diffusion.song_part import load_song_part
from .errors import InputError
from .media.background import Background
from .media.frame_limits import require_frame, require_frame_of, require_width_and_height
from .media.images import as_image, as_mask, as_picture, fit_picture
from .models import MuseDance
from .models.tokenizer import Tokenizer
from .ranges import DEFAULT_FPS, FRAMES, require_sampling, require_whole, require_within
from .sentence_hints import log_hints, log_skipped
from .staged_reference import PictureSource, stage_reference

DEFAULT_CHECKPOINT = Path(__file__).parent / "weights" / "musedance-sticker.safetensors"


class MuseDancePipeline:
    """Encode, denoise, decode (the paper's section 3.3), with memory bounded by one segment."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.config = model.config

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        device: str | torch.device = "auto",
        dtype: torch.dtype = torch.float32,
        allow_untrained: bool = False,
    ) -> MuseDancePipeline:
        """Loads a checkpoint.

        Args:
            path: a MuseDance checkpoint; None is the embedded sticker model.
            device: such as "cpu", "cuda:1" or "mps"; "auto" is cuda if available, else cpu.
            dtype: data type of weights and activations.
            allow_untrained: also load a checkpoint that was never trained to dance.

        Raises:
            InputError: the file is not a MuseDance checkpoint, it was never trained to dance, or
                this machine has no such device.
        """
        device = pick_device(device)
        loaded = load_checkpoint(path or DEFAULT_CHECKPOINT, device=device, dtype=dtype)
        if not loaded.provenance.get("trained", True) and not allow_untrained:
            raise InputError(
                f"{path} was never trained to dance; it is sampled only where that is allowed."
            )
        return cls(loaded.model, loaded.tokenizer)

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return ResidentModel(self.model).device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype that the model computes in."""
        return ResidentModel(self.model).dtype

    def __call__(
        self,
        picture: str | Path | Image.Image | Tensor,
        song: str | Path | Waveform,
        text: Prompts,
        *,
        seconds: float | None = None,
        start: float = 0.0,
        seed: int = 0,
        steps: int | None = None,
        sampler: str | None = None,
        guidance: float | Guidance | None = None,
        negative: str | None = None,
        mask: str | Path | Image.Image | None = None,
        beats: Beats | None = None,
        size: int | None = None,
        fps: float | None = None,
        background: Background = None,
        rig: str | Path | Rig | None = None,
        draft: bool | None = None,
        on_step: OnStepInfo | None = None,
    ) -> DanceVideo:
        """The dance of `picture` to `song`; frames are generated when they are read or saved.

        Args:
            picture: a file, a PIL picture, or `[3 h w]` or `[4 h w]` (with alpha) in 0..1, of any
                size; one with transparency is a sticker (see `media.images`).
            song: an audio file, a video with sound, or a waveform.
            text: a sentence such as "big hops", or a timeline such as "0:00 sway / 0:08 big hops";
                an empty one leaves the move to the song.
            seconds: length of the video; None is the rest of the song.
            start: time in the song at which the video starts, in seconds.
            seed: the same seed gives the same video.
            steps: denoising steps of the frames; None is the checkpoint's default. The dance is
                planned with the choreographer's own number.
            sampler: one of `samplers.SAMPLERS`: "ddim", "euler" or "dpmpp_2m"; None is "dpmpp_2m"
                for models that plan the dance and "ddim" for others.
            guidance: a scale, or a scale with weights per condition, of the frames; None is the
                checkpoint's default.
            negative: the negative prompt.
            mask: white where the dancer is, with the picture's aspect ratio.
            beats: the beats to dance to; None tracks them.
            size: the frame's long side in pixels, 64..2048; None is the picture's own, 256 to 1024.
            fps: frames a second, 1..60; None is 24.
            background: "transparent", a colour as text or as three numbers of 0..255, or a picture
                or its file, behind the dancer; None is the picture's own.
            rig: the dancer's joints; or a file as `musedance rig --json` writes it, or OpenPose
                JSON; None finds them.
            draft: show the planned dance alone, without denoising. None is True for models that
                plan the dance, whose denoiser adds next to nothing so far (docs/results.md), but
                False where `steps` or `sampler` is given.
            on_step: called after every denoising step; an exception from it ends the dance.

        `size`, `fps`, `background`, `rig` and `draft` are for models that plan the dance, as the
        embedded one does; others make square frames of their own size and rate.

        Raises:
            InputError: any of these cannot be used.
        """
        if draft is None:
            draft = self.config.plans_dance and steps is None and sampler is None
        image = as_picture(picture)
        subject = None if mask is None else as_mask(mask, image)
        require_frame_of(
            self.config, size, fps, background=background, rig=rig, draft=draft or None
        )
        fps = fps or (DEFAULT_FPS if self.config.plans_dance else self.config.clip.fps)
        part = load_song_part(song, text, beats, start, seconds, fps)
        log_skipped(part.prompts, start, part.frames / fps, self.config.clip.seconds)
        reference = self._prepare(image, subject, size, background, rig)
        if reference.dancer is not None:
            log_hints(part.prompts, reference.dancer.figure)
        features = self.encode_song(part.song, part.beats)
        if not isinstance(guidance, Guidance):
            require_sampling(guidance=guidance)
            guidance = Guidance.of(self.config.schedule, guidance)
        runner = self._runner(
            *(reference, features, part.prompts),
            seed=seed,
            start=start,
            settings=self._settings(steps, sampler, guidance),
            negative=negative,
            fps=fps,
            denoise=not draft,
        )
        vae = ChunkedVAE(ResidentModel(self.model))
        return DanceVideo(
            fps=fps,
            song=part.song,
            beats=features.grid,
            begin=start,
            frame_range=range(part.frames),
            run=lambda count: runner.run(count, vae, on_step),
            looped=lambda first, end: (
                lambda count: runner.looped(first / fps, end / fps).run(count, vae, on_step)
            ),
        )

    @torch.no_grad()
    def pose(
        self,
        song: str | Path | Waveform,
        text: Prompts,
        *,
        seconds: float | None = None,
        start: float = 0.0,
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
        beats: Beats | None = None,
        size: tuple[int, int] = (512, 512),
        fps: float = DEFAULT_FPS,
        rig: str | Path | Rig | None = None,
    ) -> DancePoses:
        """A dance to `song` as OpenPose keypoints and drawings, without a picture.

        Args:
            song, text, seconds, start, seed, beats: as for a call of the pipeline.
            steps: denoising steps of the choreographer; None is the checkpoint's default.
            guidance: guidance of all its conditions; None is the checkpoint's default.
            size: width and height of the drawings.
            fps: frames a second.
            rig: proportions of the dancer; a file as `musedance rig --json` writes it, or OpenPose
                JSON. None is a standing person.

        Raises:
            InputError: any of these cannot be used, or the model has no choreographer.
        """
        require_frame(None, fps)
        require_width_and_height(size)
        require_sampling(seed, steps, guidance)
        part = load_song_part(song, text, beats, start, seconds, fps)
        log_skipped(part.prompts, start, part.frames / fps, self.config.clip.seconds)
        settings = DanceSettings.of(self.model, steps, guidance)
        proportions = read_rig_or_openpose(rig) if isinstance(rig, str | Path) else rig
        log_hints(part.prompts)
        features = self.encode_song(part.song, part.beats)
        tokens = [(when, self.encode_text(sentence)) for when, sentence in part.prompts]
        score = DanceScore(features, tokens, seed, start)
        return dance_poses(
            *(self.model, score, part.song),
            frames=part.frames,
            size=size,
            fps=fps,
            rig=proportions,
            settings=settings,
        )

    @torch.no_grad()
    def animate(
        self,
        reference: Reference,
        song: SongFeatures,
        text: Prompts,
        *,
        frames: int,
        start: float = 0.0,
        seed: int = 0,
        steps: int | None = None,
        sampler: str | None = None,
        guidance: Guidance | None = None,
        negative: str | None = None,
        fps: float | None = None,
        motion: DanceMotion | None = None,
        draft: bool = False,
        on_step: OnStepInfo | None = None,
    ) -> Iterator[Segment]:
        """Yields the dance piece by piece, from an encoded picture and an encoded song.

        Args:
            reference: from `prepare_picture` or `encode_picture`.
            song: from `encode_song`.
            text: as for a call of the pipeline.
            frames: how many frames in all.
            start: time in the song at which the video starts, in seconds.
            fps: frames a second; None is the model's own rate.
            motion: a dance to follow instead of planning one, from the video's first frame on.
            seed, steps, sampler, guidance, negative, draft, on_step: as for a call of the pipeline.

        Raises:
            InputError: one of these cannot be used, or the output is not finite.
        """
        require_frame_of(self.config, None, fps, draft=draft or None)
        require_whole("number of frames", frames, FRAMES)
        require_within("start in seconds", start, (0, song.seconds))
        if motion is not None:
            require_poses(motion)
        guidance = guidance or Guidance.of(self.config.schedule)
        runner = self._runner(
            *(reference, song, text),
            seed=seed,
            start=start,
            settings=self._settings(steps, sampler, guidance),
            negative=negative,
            fps=fps,
            motion=motion,
            denoise=not draft,
        )
        return runner.run(frames, ChunkedVAE(ResidentModel(self.model)), on_step)

    @torch.no_grad()
    def encode_picture(
        self, picture: Tensor, part_map: Tensor | None = None, mask: Tensor | None = None
    ) -> Reference:
        """The reference of a picture `[3 h w]` in 0..1, for frames of its own size.

        Args:
            picture: for models that plan no dance, a square of the checkpoint's size.
            part_map: part ids 0..25 `[h w]` (`parts`), or None.
            mask: the dancer's alpha `[h w]` in 0..1; None takes the dancer of `part_map`, if any.
        """
        if not self.config.plans_dance:
            return self._encode(picture, part_map)
        if mask is None and part_map is not None:
            mask = (part_map > 0).float()
        return self._prepare(
            as_image(picture), None if mask is None else as_image(mask), max(picture.shape[-2:])
        )

    def _encode(self, pixels: Tensor, part_map: Tensor | None) -> Reference:
        """The reference of a square picture `[3 s s]` of the checkpoint's size."""
        vae = ChunkedVAE(ResidentModel(self.model))
        return Reference(pixels, vae.encode(pixels[None]), part_map)

    @torch.no_grad()
    def prepare_picture(
        self,
        picture: str | Path | Image.Image | Tensor,
        mask: str | Path | Image.Image | None = None,
        size: int | None = None,
        background: Background = None,
        rig: str | Path | Rig | None = None,
    ) -> Reference:
        """The reference of a picture of any size; arguments as for a call of the pipeline.

        Raises:
            InputError: one of them cannot be used.
        """
        require_frame_of(self.config, size, None, background=background, rig=rig)
        image = as_picture(picture)
        subject = None if mask is None else as_mask(mask, image)
        return self._prepare(image, subject, size, background, rig)

    def _prepare(
        self,
        picture: Image.Image,
        mask: Image.Image | None,
        size: int | None,
        background: Background = None,
        rig: str | Path | Rig | None = None,
    ) -> Reference:
        """The reference of a picture with its mask, both checked."""
        if not self.config.plans_dance:
            fitted = fit_picture(picture, mask, self.config.clip.size)
            return self._encode(fitted.image, fitted.part_map)
        vae = ChunkedVAE(ResidentModel(self.model))
        source = PictureSource(picture, mask, rig)
        return stage_reference(self.model, vae, source, size, background)

    def encode_song(self, song: Waveform, beats: BeatGrid | None = None) -> SongFeatures:
        """The log-mel of the whole song, with `beats`, or with tracked ones if that is None."""
        mel = song_log_mel(song, self.config.music.mel_bins)
        return SongFeatures(mel, beats if beats is not None else track_beats(song))

    @torch.no_grad()
    def encode_text(self, sentence: str) -> Tensor:
        """Text tokens `[1 77 d]` of a sentence."""
        tokens: Tensor = self.model.text(self.tokenizer.encode([sentence]).to(self.device))
        return tokens

    def _settings(
        self, steps: int | None, sampler: str | None, guidance: Guidance
    ) -> SamplingSettings:
        schedule = self.config.schedule
        steps = schedule.sampling_steps if steps is None else steps
        require_whole("number of steps", steps, (1, schedule.steps))
        default = "dpmpp_2m" if self.config.plans_dance else "ddim"
        return SamplingSettings(steps, guidance, sampler or default)

    def _runner(
        self,
        reference: Reference,
        song: SongFeatures,
        text: Prompts,
        *,
        seed: int,
        start: float,
        settings: SamplingSettings,
        negative: str | None,
        fps: float | None = None,
        motion: DanceMotion | None = None,
        denoise: bool = True,
    ) -> SegmentRunner:
        require_sampling(seed)
        inputs = DanceInputs(
            reference,
            song,
            [(seconds, self.encode_text(sentence)) for seconds, sentence in as_prompts(text)],
            settings,
            seed,
            start,
            None if negative is None else self.encode_text(negative),
            fps,
            denoise,
            motion,
        )
        return SegmentRunner(ResidentModel(self.model), inputs)
