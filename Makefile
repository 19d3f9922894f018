# `make demo` writes out/demo.mp4; `make test` runs lint, types and all tests.
# Both need only Python 3.10+ and make.

PYTHON ?= python3
# The torch to install first. Without a GPU on Linux, a CPU build is a far smaller download:
#   make demo TORCH="torch --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
WORKERS ?= 2
# Several Pythons side by side: make demo PYTHON=python3.13 VENV=.venv-3.13 OUT=out/3.13
VENV ?= .venv
OUT ?= out
TESTS ?= tests

BIN := $(VENV)/bin
PICTURE ?= assets/puppet-kid.png
SONG ?= assets/demo-song.ogg
TEXT ?= big jumping jacks
# full adds what the denoiser draws, which so far is no better than the planned dance alone.
QUALITY ?= draft

.DEFAULT_GOAL := help
.PHONY: help demo test lint types unit format docs clean

help:
	@echo "make demo    make a character dance to a song with the embedded model: out/demo.mp4"
	@echo "make test    lint, types and all tests"
	@echo "make format  let ruff rewrite the code in the project's style"
	@echo "make docs    write docs/nodes.md from the nodes"
	@echo "make clean   remove the virtual environment and everything written by make"

$(VENV)/torch.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "MuseDance needs Python 3.10 or newer; try make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(TORCH)
	@touch $@

$(VENV)/run.stamp: $(VENV)/torch.stamp pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet -e ".[test]"
	@touch $@

$(VENV)/dev.stamp: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@touch $@

demo: $(VENV)/run.stamp
	@mkdir -p $(OUT)
	$(BIN)/musedance animate $(PICTURE) $(SONG) --text "$(TEXT)" --out $(OUT)/demo.mp4 \
		--seconds 8 --seed 1 --quality $(QUALITY) --preview-sheet $(OUT)/demo.png

test: lint types unit

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The nodes belong to a package with the name of this folder; here it gets one that is an identifier.
types: $(VENV)/dev.stamp
	$(BIN)/mypy
	@mkdir -p .mypy_cache/pack && ln -sfn ../.. .mypy_cache/pack/musedance_pack
	cd .mypy_cache/pack && $(abspath $(BIN))/mypy --config-file ../../pyproject.toml \
		--cache-dir .. -p musedance_pack.nodes

# The first call of librosa's tracker compiles it into a cache, which two processes at once can spoil.
unit: $(VENV)/test.stamp
	$(BIN)/python -c "import numpy, librosa; librosa.beat.beat_track(y=numpy.random.rand(66150).astype('f4'))"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --durations=10 $(TESTS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/run.stamp
	$(BIN)/python docs/make_nodes.py

clean:
	rm -rf .venv .venv-* out .mypy_cache .ruff_cache .pytest_cache build *.egg-info
