#!/bin/sh
# Every case as it is and disturbed: experiments/warp_trust/run.sh DATA OUT
set -e
here=$(dirname "$0")
for view in plain mirrored cropped; do
    python "$here/run.py" "data=$1" "out=$2" "view=$view" | tee "$2-$view.md"
done
python "$here/run.py" "data=$1" "out=$2" view=panned cases=walk_8,jacks_4 | tee "$2-panned.md"
