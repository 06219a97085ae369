#!/usr/bin/env bash
# The paper's question in miniature: does a backbone that learnt cross-view relations act better?
# Three frozen backbones under the same head, data and seeds: taught on the robot's questions of
# `make learn`, taught on them with all images but the last one grey, and untaught.
# `make vla-claim` runs this; OUT and WORKERS as there. Ctrl-C is safe, the same command goes on.
set -euo pipefail
out=${OUT:-out}/claim learn=${OUT:-out}/learn workers=${WORKERS:-2}
export OMP_NUM_THREADS=1
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# as for the figures in docs/rollouts.md
weights=(temporal_verification=2 cross_scenario_localization=1
  directional_view_localization=0.6 language_conditioned_localization=0.6)

teach() { # NAME OPTION...
  xvr train tiny --data "$learn/robotic" --out "$out/$1" --steps 400 --eval-every 0 \
    --task-weights "${weights[@]}" --device cpu --workers 0 --device-batch-size 10 "${@:2}"
}
judge() { # NAME BACKBONE SEED: a policy on it, in episodes that no demonstration has
  xvr vla train --data "$out/demos" --backbone "hf:$2" --tap 4:pre --tune frozen --head tiny \
    --image-size 96 --steps 600 --learning-rate 1e-3 --ema 0.99 --batch 24 --draws 3 \
    --cache "$out/cache" --seed "$3" --out "$out/policies/$1/$3"
  xvr vla rollout --policy "$out/policies/$1/$3" --task reach-button --seed 1000 --execute 8 \
    --episodes 100 --workers 1 --out "$out/rollouts/$1/$3"
}

xvr vla record "$out/demos" --task reach-button --episodes 200 --seed 0 --workers "$workers"
teach one-view --blanked True &
blanked=$!
teach cross-view
wait $blanked
export -f judge
export out
for seed in 0 1 2; do
  echo untaught "$out/cross-view_start" $seed
  echo one-view "$out/one-view/model" $seed
  echo cross-view "$out/cross-view/model" $seed
done | xargs -P "$workers" -L 1 bash -euc 'judge "$@"' judge
xvr vla compare "$out"/rollouts/{cross-view,one-view,untaught}
