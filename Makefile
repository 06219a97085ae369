# make demo   simulate, build, audit and show a dataset; safe to interrupt and run again
# make test   run the tests            make check   format, lint, types, import directions
# make learn  simulate, build, train a small model from nothing and hold it against cheaters
# make vla-demo  record demonstrations, train three small policies and let them act
# make vla-claim  hold policies on a backbone that learnt cross-view relations against others
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
RUN := PATH="$(abspath $(BIN)):$$PATH" OUT="$(OUT)" WORKERS=$(WORKERS) bash

.PHONY: demo learn vla-demo vla-claim test check bench format setup develop clean

demo: setup
	$(XVR) sim captures $(CAPTURES) --scenes 12 --seed 0 --workers $(WORKERS)
	$(XVR) sim episodes $(EPISODES) --episodes 8 --seed 0 --format v3.0 --workers $(WORKERS)
	$(XVR) data build $(DATASET) --source wildrgbd:$(CAPTURES) --source lerobot:$(EPISODES) \
	  --samples 480 --mixture uniform --valid-share 0.1 --image-format jpeg --seed 0 --workers $(WORKERS)
	$(XVR) data audit $(DATASET) --workers $(WORKERS)
	@$(XVR) data show $(DATASET)

learn: $(VENV)/.models
	$(RUN) runs/learn.sh

vla-demo: $(VENV)/.models
	$(RUN) runs/vla_demo.sh

vla-claim: $(VENV)/.models
	$(RUN) runs/vla_claim.sh

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

$(VENV)/.models: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable ".[sim,train,vla]"
	touch $@

clean:
	rm -rf $(OUT) $(VENV)
