# Everything happens in .venv; the first command that needs it makes it.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: setup demo test test-all check bench docs clean

setup: .venv/developer

.venv/user: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/developer: .venv/user
	$(PIP) --editable '.[dev]'
	touch $@

.venv/docs: .venv/user
	$(PIP) --editable '.[docs]'
	touch $@

demo: .venv/user            ## map a simulated scene from its coarse labels, and score it
	$(BIN)/overcast demo --out demo --overwrite

test: .venv/developer       ## the tests that CI runs, a file of them on every core
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all: .venv/developer   ## the slow ones too
	$(BIN)/python -m pytest -m "not gpu"

check: .venv/developer      ## format, lint and types
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy

bench: .venv/developer      ## speed and memory; results go to bench/results
	$(BIN)/python bench/all.py

docs: .venv/docs            ## these pages and the reference as a site, in site/
	$(BIN)/python bench/commands.py
	$(BIN)/zensical build --clean --strict

clean:
	rm -rf .venv demo site bench/results
