"""Make a data set of dance videos: the same as `musedance prepare`.

python train/prepare.py VIDEOS DATASET [--captions FILE.jsonl] [--workers N] ...
"""

import sys

from musedance_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["prepare", *sys.argv[1:]]))
