"""Train the patch autoencoder: the same as `musedance train vae`.

python train/vae.py train/configs/sticker/vae.yaml output_dir=runs/vae [key=value ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "vae", *sys.argv[1:]]))
