# The commands of README.md, "Without make", under one name each.
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)

UV := uv==0.13.9
# The tests start hundreds of processes, which share what Python compiled, also where
# PYTHONDONTWRITEBYTECODE is set.
TESTING := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
    && echo "$$python" && break; done)

.PHONY: atlas test test-faults bench bench-gpu lint types setup lock

atlas: setup  # the whole pipeline, to site/index.html
	dvc repro

test: setup  # every test; ARGS="--fast" leaves out the slow ones
	$(TESTING) pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-faults: setup  # faults injected for real, FAULTS of each kind; `make test` injects one of each
	$(TESTING) pytest -n auto --dist load tests/faults --faults $(or $(FAULTS),20)

bench: setup  # the table of docs/performance.md; QUICK=1 for a short one
	python -m benchmarks $(if $(QUICK),--quick)

bench-gpu: setup  # the same for a GPU, in minutes; ARGS=--cpu rehearses without one
	python -m benchmarks.gpu $(ARGS)

lint: setup
	ruff check .
	ruff format --check .

types: setup
	mypy

setup: .venv/ready  # the environment; nothing is downloaded once it exists

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Error: no Python 3.11 or newer. Install one, or name" \
	  "it: make PYTHON=/path/to/python3" >&2; exit 1; }
	.venv/bin/python -m pip --version &> /dev/null || "$(PYTHON)" -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	uv pip install --python .venv/bin/python --compile-bytecode --require-hashes -r requirements.lock
	uv pip install --python .venv/bin/python --no-deps --no-build-isolation -e .
	test -e .git || dvc config --local core.no_scm true
	touch .venv/ready

lock: setup  # regenerate requirements.lock after an edit of pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --no-header --no-emit-index-url --no-emit-find-links --group dev pyproject.toml -o requirements.lock
