"""Stage 1, single frames: the same as `musedance train stage1`.

python train/stage1.py train/configs/sticker/stage1.yaml output_dir=runs/stage1 [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "stage1", *sys.argv[1:]]))
