# `make` lists the targets. Each makes .venv first if it is missing or older than the lock file.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export OMP_NUM_THREADS ?= 1
unexport PYTHONPATH PYTHONHOME

BIN := .venv/bin
MPIEXEC ?= $(BIN)/mpiexec

.PHONY: help .venv browser demo check lint fast test format lock clean test-taufactor test-slurm

help: ## this list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile

.venv: ## the environment: everything but TauFactor, from requirements.lock
	@./bootstrap.sh

browser: .venv
	@./bootstrap.sh browser

demo: .venv ## the shipped study `quickstart` on two ranks, to runs/quickstart
	$(BIN)/voxtrode run quickstart --ranks 2 --out runs/quickstart

check: lint fast ## ruff, mypy --strict and the fast tests

lint: .venv ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fast: .venv
	$(BIN)/pytest -m "not slow"

# What starts ranks or a browser of its own has both cores to itself.
ALONE := tests/chain tests/pipeline tests/report

test: .venv browser ## all tests: on one rank, then those that run on more on two and three
	$(BIN)/pytest -n 2 --dist loadfile $(addprefix --ignore=,$(ALONE))
	$(BIN)/pytest $(ALONE)
	$(MPIEXEC) -n 2 $(BIN)/python tests/under_mpi.py 2 -m "mpi or mpi3"
	$(MPIEXEC) -n 3 $(BIN)/python tests/under_mpi.py 3 -m mpi3

format: .venv ## put the sources into the house's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# Reads no settings of this machine, so that only versions and hashes of the public index get in.
lock: ## resolve pyproject.toml anew into requirements.lock
	uv=$$(./bootstrap.sh uv) && env -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	    "$$uv" pip compile --quiet --no-config --upgrade \
	    --python-version 3.12 --extra all --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements.lock
	uv=$$(./bootstrap.sh uv) && env -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	    "$$uv" pip compile --quiet --no-config --upgrade \
	    --python-version 3.12 --extra taufactor --constraint requirements.lock \
	    $$(sed -n 's/^\([^ =]*\)==.*/--no-emit-package \1/p' requirements.lock) \
	    --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements-taufactor.lock

test-taufactor: .venv ## the voxel engine against TauFactor, in .venv-taufactor (7 GB)
	@./bootstrap.sh taufactor
	.venv-taufactor/bin/pytest tests/taufactor

test-slurm:
	@echo "make $@: not available yet"; exit 2

clean: ## remove caches and builds; keeps .venv and runs/
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache src/*.egg-info
	find data meshing solvers pipeline tests src -name __pycache__ -prune -exec rm -rf {} +
