# Nothing needs to be installed by hand: every target makes the environment it uses.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
FRONT  := qflow/atomic.py qflow/kept.py qflow/records.py qflow/diagnostics qflow/registry.py qflow/dtype.py qflow/resources.py qflow/lang qflow/march \
          qflow/plan qflow/tables qflow/compile qflow/lint qflow/lsp qflow/hydra qflow/sweep qflow/cli

.PHONY: help demo test lint bench docs sophgo clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.demo  ## quantize the digits network, verify its integers and its export
	$(BIN)/qflow run pipelines/digits.qf

test: $(VENV)/.dev  ## run every test
	$(BIN)/python -m coverage erase
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --cov=qflow --cov-report=term:skip-covered --cov-fail-under=90

lint: $(VENV)/.dev  ## style, formatting, types of the torch-free half
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(FRONT)
	$(BIN)/qflow fmt --check pipelines/*.qf

bench: $(VENV)/.dev  ## speed as ratios within one run
	$(BIN)/python -m benchmarks

docs: $(VENV)/.dev  ## write the reference pages and grammar/schema.json from the code
	$(BIN)/python docs/generate.py
	$(BIN)/qflow schema --out grammar/schema.json
	$(BIN)/python editors/textmate.py

sophgo: $(VENV)/.dev  ## our export through TPU-MLIR; SOPHGO= names a Python 3.10 environment that has it
	$(BIN)/python -m tests.vendor.sophgo "$(SOPHGO)"

clean:  ## remove the environment, runs and build products
	rm -rf $(VENV) runs build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install -q -e '.[demo]' -c constraints.txt
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install -q -e '.[dev]' -c constraints.txt
	touch $@ $(VENV)/.demo
