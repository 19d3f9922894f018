"""Train the text encoder on what captions say.

python train/text.py train/configs/sticker/text.yaml output_dir=runs/text [key=value ...]
"""

from musedance_core.training.entry import main
from musedance_core.training.stages.text import TextStage

if __name__ == "__main__":
    main(TextStage, __doc__)
