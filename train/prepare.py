"""Videos of dancing become a data set: short clips with music, beats, captions and splits.

python train/prepare.py VIDEOS DATASET [--captions FILE.jsonl] [--workers N] ...
"""

from musedance_core.preparation.entry import main

if __name__ == "__main__":
    main(__doc__)
