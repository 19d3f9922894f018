"""Stage 2, clips with music: the same as `musedance train stage2`.

python train/stage2.py train/configs/sticker/stage2.yaml output_dir=runs/stage2 [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "stage2", *sys.argv[1:]]))
