#!/usr/bin/env sh
# sh experiments/motion_lr/run.sh OUT: the sweep, then its table and plot into results/.
set -eu
here=$(dirname "$0")
rib train -m sweep=motion_lr experiment=motion_smoke launch=joblib hydra.sweeper.at_once=2 hydra.sweeper.num_trials=6 \
  hydra.sweeper.pruner=null optimize.select=last \
  task.data.batches_per_epoch=50 task.module.total_steps=100 hydra.sweep.dir="$1"
python "$here/report.py" "$1" "$here/results"
