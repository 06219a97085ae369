#!/usr/bin/env bash
# A policy learns to press a button, beside one without pictures and one without its state.
# `make vla-demo` runs this; OUT and WORKERS as there. Ctrl-C is safe, the same command goes on.
set -euo pipefail
out=${OUT:-out}/vla workers=${WORKERS:-2}

train() { # NAME OPTION...
  xvr vla train --data "$out/demos" --out "$out/$1" --head tiny --image-size 96 --steps 600 \
    --learning-rate 1e-3 --ema 0.99 --batch 24 --draws 3 --checkpoint-every 100 --keep 9 "${@:2}"
}
judge() { # POLICY NAME EPISODES: on episodes that no demonstration has
  echo "$2"
  xvr vla rollout --policy "$out/$1" --task reach-button --seed 1000 --execute 4 --episodes "$3" \
    --workers "$workers" --out "$out/rollouts/$2"
}

xvr vla record "$out/demos" --task reach-button --episodes 200 --seed 0 --workers "$workers"
train full --backbone conv &
full=$!
trap 'kill $full 2>/dev/null || true' EXIT
train blind --backbone blind
train stateless --backbone conv --state none
wait $full
for step in 000100 000200 000400; do
  judge "full/checkpoints/step_$step" "step_$step" 25
done
for policy in blind stateless full; do
  judge $policy $policy 100
done
xvr vla compare "$out"/rollouts/{blind,stateless,full}
