"""Stage 1: denoiser, ReferenceNet and mask encoder on single frames.

python train/stage1.py train/configs/sticker/stage1.yaml output_dir=runs/stage1 [key=value ...]
"""

from musedance_core.training.entry import main
from musedance_core.training.stages.stage1 import Stage1

if __name__ == "__main__":
    main(Stage1, __doc__)
