# make demo   simulate, build, audit and show a dataset; safe to interrupt and run again
# make test   run the tests            make check   format, lint, types, import directions
# make vla-demo  record demonstrations, train three small policies and let them act (20 minutes)
# make learn  simulate, build, train a small model from nothing and hold it against cheaters
# make bench  measure speed and memory against the floor of decoding and encoding alone
PYTHON ?= python3
VENV ?= .venv
OUT ?= out
WORKERS ?= 2
BIN := $(VENV)/bin
XVR := $(BIN)/xvr
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
export OMP_NUM_THREADS := 1

CAPTURES := $(OUT)/captures
EPISODES := $(OUT)/episodes
DATASET := $(OUT)/dataset

VLA := $(OUT)/vla
TEACH := --data $(VLA)/demos --head tiny --image-size 96 --steps 1500 --learning-rate 1e-3 --ema 0.99 \
  --batch 24 --draws 3 --checkpoint-every 250 --keep 9
JUDGE := --task reach-button --seed 1000 --execute 4

.PHONY: demo learn test check bench format setup develop clean vla-demo vla-full vla-blind vla-stateless

demo: setup
	$(XVR) sim captures $(CAPTURES) --scenes 12 --seed 0 --workers $(WORKERS)
	$(XVR) sim episodes $(EPISODES) --episodes 8 --seed 0 --format v3.0 --workers $(WORKERS)
	$(XVR) data build $(DATASET) --source wildrgbd:$(CAPTURES) --source lerobot:$(EPISODES) \
	  --samples 480 --mixture uniform --valid-share 0.1 --image-format jpeg --seed 0 --workers $(WORKERS)
	$(XVR) data audit $(DATASET) --workers $(WORKERS)
	@$(XVR) data show $(DATASET)

# The blind policy sees no picture, the stateless one is not told where its finger is.
vla-demo: $(VENV)/.vla
	$(XVR) vla record $(VLA)/demos --task reach-button --episodes 200 --seed 0 --workers $(WORKERS)
	$(MAKE) --jobs $(WORKERS) vla-full vla-blind vla-stateless
	for step in 000250 000500 001000; do echo full, step $$step; \
	  $(XVR) vla rollout --policy $(VLA)/full/checkpoints/step_$$step $(JUDGE) --episodes 25 \
	    --workers $(WORKERS) --out $(VLA)/rollouts/step_$$step || exit; done
	for policy in blind stateless full; do echo $$policy; \
	  $(XVR) vla rollout --policy $(VLA)/$$policy $(JUDGE) --episodes 100 --workers $(WORKERS) \
	    --out $(VLA)/rollouts/$$policy || exit; done
	$(XVR) vla compare $(VLA)/rollouts/blind $(VLA)/rollouts/stateless $(VLA)/rollouts/full

vla-full:
	$(XVR) vla train $(TEACH) --out $(VLA)/full --backbone conv

vla-blind:
	$(XVR) vla train $(TEACH) --out $(VLA)/blind --backbone blind

vla-stateless:
	$(XVR) vla train $(TEACH) --out $(VLA)/stateless --backbone conv --state none
# Small images with large marks, without shadows: a scene costs half as much, an episode too.
LEARN := $(OUT)/learn
SMALL := --set min_scene_points=1000 --set min_view_angle_deg=8 --set max_view_angle_deg=100 \
  --set min_option_px_share=0.10 --set max_misfit_log_ratio=1.0 \
  --mark-scale 2.2 --no-mark-labels --image-format jpeg
BUILD := --mixture uniform --seed 0 --workers $(WORKERS)
LEARNT := hf:$(LEARN)/run/model
ASKED := model=$(LEARNT) before=hf:$(LEARN)/run_start text-only=text-only:$(LEARNT) \
  single-view=single-view:$(LEARNT) blanked=blanked:$(LEARNT) majority=majority

learn: develop
	$(XVR) sim captures $(LEARN)/captures --scenes 178 --frames 40 --width 256 --height 192 \
	  --plain --workers $(WORKERS)
	$(XVR) sim episodes $(LEARN)/episodes --episodes 12 --size 128 --fps 5 --workers $(WORKERS)
	$(XVR) data build $(LEARN)/general --source wildrgbd:$(LEARN)/captures $(BUILD) --samples 6400 \
	  --valid-share 0.1 $(SMALL) --tasks point_correspondence spatial_verification \
	  viewpoint_localization directional_correspondence
	$(XVR) data build $(LEARN)/robotic --source lerobot:$(LEARN)/episodes $(BUILD) --samples 2560 \
	  --valid-share 0.25 --image-format jpeg --tasks temporal_verification \
	  cross_scenario_localization directional_view_localization language_conditioned_localization
	OMP_NUM_THREADS=$(WORKERS) $(XVR) train tiny --data $(LEARN)/general --data $(LEARN)/robotic --out $(LEARN)/run
	for data in general robotic; do \
	  for one in $(ASKED); do \
	    $(XVR) eval run xvr --split valid --batch-size 20 --data $(LEARN)/$$data \
	      --model $${one#*=} --out $(LEARN)/eval/$$data/$${one%%=*} || exit 1; \
	  done; \
	  $(XVR) eval compare $(foreach one,$(ASKED),$(LEARN)/eval/$$data/$(firstword $(subst =, ,$(one)))); \
	done

test: develop
	$(BIN)/python -m pytest

check: develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest tests/test_architecture.py

bench: setup
	$(BIN)/python benchmarks/engine.py --out $(OUT)/bench

format: develop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(VENV)/.ready

develop: $(VENV)/.developed

# pip 25.1 is the first to know dependency groups. MuJoCo needs Mesa's EGL, OpenCV's GUI build (which
# robosuite brings) needs GLib; both are there on a desktop and missing on a server.
$(VENV)/.ready: pyproject.toml
	@ldconfig -p | grep -q libEGL.so.1 && ldconfig -p | grep -q libGL.so.1 \
	  && ldconfig -p | grep -q libgthread-2.0.so.0 \
	  || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends \
	       libegl1 libgl1 libglib2.0-0; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[sim]"
	touch $@

# One command with the extra, so that one set of versions suits both. A machine without a GPU saves
# gigabytes with PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu, which has torch without CUDA.
$(VENV)/.developed: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable ".[sim]" --group dev
	touch $@

$(VENV)/.vla: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable ".[sim,vla]"
	touch $@

clean:
	rm -rf $(OUT) $(VENV)
