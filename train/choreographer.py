"""Train the choreographer on dances as poses: the same as `musedance train choreographer`.

python train/choreographer.py train/configs/sticker/choreographer.yaml output_dir=runs/choreographer
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "choreographer", *sys.argv[1:]]))
