"""Train the network that finds joints and parts in a picture: the same as `musedance train rig`.

python train/rig.py train/configs/sticker/rig.yaml output_dir=runs/rig [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "rig", *sys.argv[1:]]))
