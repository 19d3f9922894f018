"""Score checkpoints and folders of videos: the same as `musedance evaluate`.

python train/evaluate.py runs/stage2/model.safetensors --out runs/stage2/evaluation [--clips 10 ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
