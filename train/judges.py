"""Train the judges that score generated clips: the same as `musedance train judges`.

python train/judges.py OUTPUT.safetensors --name sticker-judges-4 [--motion-steps N ...]
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "judges", *sys.argv[1:]]))
