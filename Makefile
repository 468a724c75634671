# The environment is .venv; what is installed there is remembered in .venv/.core and .venv/.full.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXTRAS := dev,serve,onnx,openvino,tensorboard,hub,docs

.PHONY: install train test slow check bench docs clean

install: .venv/.core

# Pip may look for minutes for what fits a Python that is too old, and then not say so.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11, 4) else "$(PYTHON) is Python \
	%d.%d.%d, and 3.11.4 or newer is needed: name one with make PYTHON=..." % sys.version_info[:3])'
	$(PYTHON) -m venv .venv

.venv/.core: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	touch .venv/.core

.venv/.full: pyproject.toml | $(BIN)/python
	$(PIP) --editable ".[$(EXTRAS)]"
	touch .venv/.core .venv/.full

train: .venv/.core
	$(BIN)/residua train

test: .venv/.full
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

slow: .venv/.full
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m slow

check: .venv/.full
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/pyrefly check
	$(BIN)/python -m pytest --quiet tests/test_architecture.py

bench: .venv/.full
	for name in startup step split digits degradation zoo_speed kill memory; do $(BIN)/python bench/$$name.py || exit 1; done

# The pages of results are made from records/; the site is in build/docs.
docs: .venv/.full
	$(BIN)/residua reproduce --pages docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs build/docs
	@echo "page: build/docs/index.html"

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
