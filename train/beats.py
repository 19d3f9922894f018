"""Train the beat tracker's network: the same as `musedance train beats`.

python train/beats.py train/configs/sticker/beats.yaml output_dir=runs/beats [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "beats", *sys.argv[1:]]))
