# `make` alone lists the targets. A target is described by the comment after `##`, and
# TAKES_<target> names the settings that may be given to it; any other is refused.

PYTHON ?= python3
BIN := .venv/bin

ifeq ($(wildcard poseNet.ipynb),)
$(error Start make in the folder of poseNet.ipynb: make -C path/to/that/folder $(MAKECMDGOALS))
endif

# Every name in the notebook's settings cells can be set.
NAMES := $(shell sed -n 's/^ *"\([A-Z][A-Z_]*\) = .*/\1/p' poseNet.ipynb)

TAKES_run := $(NAMES)
TAKES_predict := VIDEO MODEL RESULTS
TAKES_test-on := VIDEOS LABELS MODEL RESULTS EVERY_S
TAKES_live := VIDEOS LABELS RESULTS
TAKES_export := MODEL RESULTS
TAKES_retrain := PACK RESULTS
TAKES_test := TESTS

GIVEN := $(strip $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $v)),$v)))
KNOWN := PYTHON $(foreach goal,$(MAKECMDGOALS),$(TAKES_$(goal)))
$(foreach v,$(filter-out $(KNOWN),$(GIVEN)),$(error There is no setting $v here. `make$(MAKECMDGOALS:%= %)` takes $(KNOWN)))

# Settings go to Python through the environment, as POSENET_SET_<name>, and to a command
# as "$$POSENET_SET_<name>": neither make nor the shell reads what is in them.
$(foreach v,$(GIVEN),$(eval export POSENET_SET_$v := $$(value $v)))
unexport $(GIVEN)
# $(call options,A B) gives a program --A="its value" for each of them that is set.
options = $(foreach v,$1,$${POSENET_SET_$v:+--$v="$$POSENET_SET_$v"})

.DEFAULT_GOAL := help
.PHONY: help run lab live export retrain predict test-on test lint bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' Makefile | expand -t 18
	@echo 'Settings of make run: $(NAMES)'
	@echo 'For example: make run VIDEOS="my films" RESULTS=out EVERY_S=0.5'

run: $(BIN)/.installed ## run poseNet.ipynb from top to bottom; charts, tables and a report
	@$(BIN)/python -m utils.run || [ $$? -eq 3 ] # 3: done, but not every question

lab: $(BIN)/.installed ## open a copy of poseNet.ipynb in JupyterLab, to label and look
	@$(BIN)/python -m utils.lab

live: $(BIN)/.installed ## serve the live page on this machine: the camera, your own model
	@$(BIN)/python -m utils.live.server $(call options,$(TAKES_live))

export: $(BIN)/.installed ## write the classifier for elsewhere: TFLite, ONNX, Python, C, a web page
	@$(BIN)/python -m utils.export.forms $(call options,$(TAKES_export))

retrain: $(BIN)/.installed ## learn anew from a share pack: PACK=data/results/share_pack.zip
	@: "$${POSENET_SET_PACK:?Give the pack: make retrain PACK=data/results/share_pack.zip}"
	@$(BIN)/python -m utils.export.pack $(call options,$(TAKES_retrain))

predict: $(BIN)/.installed ## label a new film: VIDEO=film.mp4; MODEL=… is the one in RESULTS if none
	@$(BIN)/python -m utils.predict $${POSENET_SET_RESULTS:+--results "$$POSENET_SET_RESULTS"} \
	  -- "$${POSENET_SET_VIDEO:?Give the film: make predict VIDEO=film.mp4}" $${POSENET_SET_MODEL:+"$$POSENET_SET_MODEL"}

test-on: $(BIN)/.installed ## score a classifier on labelled films of others: VIDEOS=folder LABELS=… MODEL=…
	@: "$${POSENET_SET_VIDEOS:?Give the films: make test-on VIDEOS=folder LABELS=folder/labels.csv}"
	@$(BIN)/python -m utils.elsewhere $(call options,$(TAKES_test-on))

# Three at once, since they wait as much as they work; the slow ones measure speed: alone.
test: $(BIN)/.installed-tests lint ## every check and test; TESTS= also runs the slow ones (half an hour)
	@$(BIN)/python -m pytest -m "$${POSENET_SET_TESTS-not slow}" --durations=10 \
	  --dist loadfile --no-loadscope-reorder -n $(if $(filter TESTS,$(GIVEN)),0,3)

lint: $(BIN)/.installed-tests ## what the pre-commit hooks check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/nbstripout --verify --keep-id poseNet.ipynb

bench: $(BIN)/.installed ## measure speed and memory
	@$(BIN)/python benchmarks/bench.py

clean: ## remove what can be made again; labels stay
	rm -rf data/frames data/keypoints data/cache data/results

$(BIN)/.installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing requirements.txt into .venv (about two minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(BIN)/.installed-tests: $(BIN)/.installed tests/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
