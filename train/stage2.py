"""Stage 2: music, beats and motion on clips.

python train/stage2.py train/configs/sticker/stage2.yaml output_dir=runs/stage2 [key=value ...]
"""

from musedance_core.training.entry import main
from musedance_core.training.stages.stage2 import Stage2

if __name__ == "__main__":
    main(Stage2, __doc__)
