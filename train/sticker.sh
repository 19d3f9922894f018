#!/bin/sh
# The whole recipe of the sticker model, from nothing to runs/sticker/stage2_long/model.safetensors:
#
#     sh train/sticker.sh [cpu|gpu] [FOLDER] [key=value ...]
#
# Every stage resumes where it stopped, so the same command goes on after an interruption.
# TIME_SHARE=0.5 gives every stage half of its max_minutes.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-cpu}
folder=${2:-runs/sticker}
[ $# -ge 1 ] && shift
[ $# -ge 1 ] && shift
case $profile in
    cpu) configs=train/configs/sticker ;;
    gpu) configs=train/configs/sticker/gpu ;;
    *) echo "the profile is cpu or gpu, not $profile" >&2; exit 2 ;;
esac
python=${PYTHON:-python}
init=
for stage in text music vae rig choreographer stage1 stage2 stage2_long; do
    echo "== $stage"
    minutes=$(awk -v share="${TIME_SHARE:-1}" '/^max_minutes:/ { print $2 * share }' "$configs/$stage.yaml")
    PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" $python "train/${stage%%_*}.py" "$configs/$stage.yaml" \
        "output_dir=$folder/$stage" "init=$init" "max_minutes=$minutes" "$@"
    init=$folder/$stage/model.safetensors
done
echo "The model is $init"
