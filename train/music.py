"""Train the music encoder on exact labels: the same as `musedance train music`.

python train/music.py train/configs/sticker/music.yaml output_dir=runs/music [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "music", *sys.argv[1:]]))
