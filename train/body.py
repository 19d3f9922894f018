"""Train the planner that moves a picture as one body: the same as `musedance train body`.

python train/body.py train/configs/sticker/body.yaml output_dir=runs/body [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "body", *sys.argv[1:]]))
