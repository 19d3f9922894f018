"""Where the dancer goes: how small models move the picture as one body.

python train/body.py train/configs/sticker/body.yaml output_dir=runs/body [key=value ...]
"""

from musedance_core.training.entry import main
from musedance_core.training.stages.body import BodyStage

if __name__ == "__main__":
    main(BodyStage, __doc__)
