"""Train the text encoder on captions: the same as `musedance train text`.

python train/text.py train/configs/sticker/text.yaml output_dir=runs/text [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "text", *sys.argv[1:]]))
