"""Stage 1: denoiser, ReferenceNet and mask encoder on single frames.

python train/stage1.py train/configs/sticker/stage1.yaml output_dir=runs/stage1 [key=value ...]
"""

from musedance_core.training.diffusion import Stage1
from musedance_core.training.entry import main

if __name__ == "__main__":
    main(Stage1, __doc__)
