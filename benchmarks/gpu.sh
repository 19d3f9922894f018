#!/bin/sh
# Everything that MuseDance can find out on one GPU, in one command:
#
#     [WHEELS=FOLDER] [PYTHON=python3] sh benchmarks/gpu.sh OUT [--toy] [--seconds 560] [--parts a b c]
#
# OUT/findings.jsonl grows line by line. benchmarks/README.md says what is in it. WHEELS may hold wheels for a
# machine without a network, and NotoColorEmoji.ttf.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
export PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
if [ -n "${WHEELS:-}" ]; then
    site=$(mktemp -d)
    if $python -m pip install -q --no-index --no-deps --no-compile --target "$site" "$WHEELS"/*.whl; then
        PYTHONPATH=$PYTHONPATH:$site
    fi
    [ -f "$WHEELS/NotoColorEmoji.ttf" ] && export FONT="$WHEELS/NotoColorEmoji.ttf"
fi
exec $python -m benchmarks.gpu "$@"
