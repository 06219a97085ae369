#!/usr/bin/env bash
# The closed loop: simulate, build, train a small model from nothing, hold it against its cheaters.
# `make learn` runs this; OUT and WORKERS as there. Ctrl-C is safe, the same command goes on.
set -euo pipefail
out=${OUT:-out}/learn workers=${WORKERS:-2}
build=(--mixture uniform --seed 0 --image-format jpeg --workers "$workers")
# small images with large marks
small=(--mark-scale 2.2 --no-mark-labels
  --set min_scene_points=1000 --set min_view_angle_deg=8 --set max_view_angle_deg=100
  --set min_option_px_share=0.10 --set max_misfit_log_ratio=1.0)

xvr sim captures "$out/captures" --scenes 178 --frames 40 --width 256 --height 192 --plain \
  --workers "$workers"
xvr sim episodes "$out/episodes" --episodes 12 --size 128 --fps 5 --workers "$workers"
xvr data build "$out/general" --source "wildrgbd:$out/captures" "${build[@]}" "${small[@]}" \
  --keep-clean --samples 6400 --valid-share 0.1 --tasks point_correspondence spatial_verification \
  viewpoint_localization directional_correspondence
xvr data build "$out/robotic" --source "lerobot:$out/episodes" "${build[@]}" \
  --samples 2560 --valid-share 0.25 --tasks temporal_verification cross_scenario_localization \
  directional_view_localization language_conditioned_localization
# always two processes of five questions a step, so that the outcome does not follow WORKERS
OMP_NUM_THREADS=1 python -m torch.distributed.run --standalone --nproc_per_node 2 -m xvr.cli \
  train tiny --data "$out/general" --data "$out/robotic" --out "$out/run" --steps 2000 \
  --eval-every 0 --device cpu --workers 0 --device-batch-size 5

learnt=hf:$out/run/model
declare -A asked=([model]=$learnt [before]=hf:$out/run_start [majority]=majority
  [text-only]=text-only:$learnt [single-view]=single-view:$learnt [blanked]=blanked:$learnt)
for data in general robotic; do
  for name in "${!asked[@]}"; do
    xvr eval run xvr --split valid --batch-size 20 --max-new-tokens 8 --data "$out/$data" \
      --model "${asked[$name]}" --out "$out/eval/$data/$name"
  done
  xvr eval compare "$out/eval/$data"/{model,before,majority,text-only,single-view,blanked}
done
