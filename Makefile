# make demo   the main job on real data: from a file to a proven specialist (sets up everything it needs)
# make check  what CI runs: lint, types, room boundaries, every test
# make test   every test · make fast  only those without real models or whole runs (some minutes on two cores)

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo check test fast lint setup docs clean
.DEFAULT_GOAL := check

$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): PyTorch, Transformers and the rest (a few minutes the first time)"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip
	$(INSTALL) torch
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(INSTALL) --editable '.[dev]'
	@touch $@

setup: $(VENV)/.ready-dev

demo: $(VENV)/.ready
	$(RUN) -m sonmat run examples/data/korean_intents.csv --recipe examples/demo.yaml

lint: $(VENV)/.ready-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports --no-cache

fast: $(VENV)/.ready-dev
	$(RUN) -m pytest -n 2 -m "not real"

test: $(VENV)/.ready-dev
	$(RUN) -m pytest -n 2

check: lint test

docs: $(VENV)/.ready-dev
	$(RUN) docs/make_docs.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
