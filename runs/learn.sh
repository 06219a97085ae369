#!/usr/bin/env bash
# The closed loop: simulate, build, train a small model from nothing, hold it against its cheaters.
# `make learn` runs this; OUT and WORKERS as there. Ctrl-C is safe, the same command goes on.
set -euo pipefail
out=${OUT:-out}/learn workers=${WORKERS:-2}
build=(--mixture uniform --seed 0 --image-format jpeg --workers "$workers")
# small images with large marks, views not too far apart
small=(--mark-scale 2.2 --no-mark-labels
  --set min_scene_points=1000 --set min_view_angle_deg=8 --set max_view_angle_deg=60
  --set min_option_px_share=0.10 --set max_misfit_log_ratio=1.0)

xvr sim captures "$out/captures" --scenes 120 --frames 40 --width 256 --height 192 --plain \
  --workers "$workers"
rigs=()
for seed in 0 1 2 3; do # each with other places for its cameras
  xvr sim episodes "$out/episodes/rig$seed" --seed "$seed" --episodes 14 --size 96 --fps 2 \
    --seconds 10.5 13 --workers "$workers"
  rigs+=(--source "lerobot:$out/episodes/rig$seed")
done
xvr data build "$out/general" --source "wildrgbd:$out/captures" "${build[@]}" "${small[@]}" \
  --keep-clean --samples 8000 --valid-share 0.1 --tasks point_correspondence spatial_verification \
  viewpoint_localization directional_correspondence
xvr data build "$out/robotic" "${rigs[@]}" "${build[@]}" \
  --samples 8000 --valid-share 0.2 --set min_episode_s=10 --set min_effector_move_m=0.3 \
  --tasks temporal_verification cross_scenario_localization directional_view_localization \
  language_conditioned_localization
# always two processes of five questions a step, so that the outcome does not follow WORKERS
OMP_NUM_THREADS=1 python -m torch.distributed.run --standalone --nproc_per_node 2 -m xvr.cli \
  train tiny --data "$out/general:0.45" --data "$out/robotic:0.55" --out "$out/run" --steps 1500 \
  --eval-every 0 --device cpu --workers 0 --device-batch-size 5

learnt=hf:$out/run/model
names=(model before majority text-only single-view blanked)
declare -A asked=([model]=$learnt [before]=hf:$out/run_start [majority]=majority
  [text-only]=text-only:$learnt [single-view]=single-view:$learnt [blanked]=blanked:$learnt)
ask() { # DATA: the model and its cheaters, 160 held-out questions of every task
  for name in "${names[@]}"; do
    OMP_NUM_THREADS=1 xvr eval run xvr --split valid --limit 640 --batch-size 20 \
      --max-new-tokens 8 --data "$out/$1" --model "${asked[$name]}" --out "$out/eval/$1/$name"
  done
}
ask general &
general=$!
trap 'kill $general 2>/dev/null || true' EXIT
ask robotic
wait $general
for data in general robotic; do
  xvr eval compare $(printf "$out/eval/$data/%s " "${names[@]}")
done
