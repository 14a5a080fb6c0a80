#!/bin/sh
# The whole study: train in two pieces (88 and 54 minutes of one core), then score on people never trained on.
#   MOCAP=joint_files TRACKS=openpose_json SCORER=folder_of_motion_eval BASELINE=motion_baseline.json sh run.sh
set -eu
cd "$(dirname "$0")"
data="task.data.folder=$MOCAP"
tracks="task.data.detector_tracks=[[$TRACKS/pose2sim_single_body25b/cam01,60],[$TRACKS/coco17_and_wholebody133/gast_baseball.json,25]]"
rib train experiment=motion_base "$data" "$tracks"
first=$(ls -t runs/motion_base/*/checkpoints/last.ckpt | head -1)
rib train experiment=motion_refined restore=finetune "ckpt=$first" "$data" "$tracks"
RIB_MOTION_WEIGHTS=$(ls -t runs/motion_refined/*/checkpoints/last.ckpt | head -1)
export RIB_MOTION_WEIGHTS
python score.py --scorer "$SCORER" --mocap "$MOCAP" --detections "$TRACKS" --baseline "$BASELINE" --out results
python measure_speed.py --mocap "$MOCAP"
