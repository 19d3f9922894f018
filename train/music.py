"""Train the music encoder on exact labels.

python train/music.py train/configs/sticker/music.yaml output_dir=runs/music [key=value ...]
"""

from musedance_core.training.entry import main
from musedance_core.training.stages.music import MusicStage

if __name__ == "__main__":
    main(MusicStage, __doc__)
