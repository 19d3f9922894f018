"""Train the patch autoencoder.

python train/vae.py train/configs/sticker/vae.yaml output_dir=runs/vae [key=value ...]
"""

from musedance_core.training.entry import main
from musedance_core.training.stages.vae import VaeStage

if __name__ == "__main__":
    main(VaeStage, __doc__)
