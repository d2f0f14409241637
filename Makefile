# make run    set up, then run poseNet.ipynb from top to bottom
# make test   set up, then run every check and test
# make lab    set up, then open poseNet.ipynb in JupyterLab
# make live   serve the live page on this machine: the camera, your own model
# make clean  remove what can be made again (labels stay)
#
# make test TESTS=      also runs the slow ones (half an hour)
#
# Settings of make run, all optional:
#   make run VIDEOS=dir LABELS=file.csv RESULTS=dir POSE_MODEL=movenet_lightning EVERY_S=0.2
# make live takes VIDEOS, LABELS and RESULTS too.

PYTHON ?= python3
BIN := .venv/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2

TESTS ?= not slow

# Every parameter of the notebook can be given to make by its name.
NAMES := $(shell sed -n 's/^ *"\([A-Z_]*\) = .*/\1/p' poseNet.ipynb)
SETTINGS = $(foreach name,$(NAMES),$(if $(filter command line,$(origin $(name))),'$(name)=$($(name))'))

.PHONY: run test lab live lint bench clean

run: $(BIN)/.installed
	@$(BIN)/python -m utils.run $(SETTINGS)

test: $(BIN)/.installed-tests lint
	@$(BIN)/python -m pytest -m "$(TESTS)" --durations=10

lint: $(BIN)/.installed-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/nbstripout --verify --keep-id poseNet.ipynb

lab: $(BIN)/.installed
	@$(BIN)/jupyter lab poseNet.ipynb

live: $(BIN)/.installed
	@$(BIN)/python -m utils.live.server $(foreach name,VIDEOS LABELS RESULTS,$(if $($(name)),--$(name)='$($(name))'))

bench: $(BIN)/.installed
	@$(BIN)/python benchmarks/bench.py

clean:
	rm -rf data/frames data/keypoints data/cache data/results

$(BIN)/.installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing requirements.txt into .venv (about two minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(BIN)/.installed-tests: $(BIN)/.installed tests/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
