# Everything happens in .venv; the first command that needs it makes it.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: setup demo test test-all check wheel bench docs qgis audit release clean

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

.venv/release: .venv/developer
	$(PIP) --editable '.[release]'
	touch $@

demo: .venv/user            ## map a simulated scene from its coarse labels, and score it
	$(BIN)/overcast demo --out demo --overwrite

test: .venv/developer       ## the tests that CI runs, a file of them on every core
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all: .venv/developer   ## the slow ones too
	$(BIN)/python -m pytest -m "not gpu"

check: .venv/developer      ## format, lint and types
	$(BIN)/ruff format --check src tests bench qgis
	$(BIN)/ruff check src tests bench qgis
	$(BIN)/mypy

wheel: .venv/developer      ## the wheel, installed into an empty environment, makes the demo
	$(BIN)/python -m bench.wheel

release: .venv/release      ## what a release consists of, in dist/; see docs/releasing.md
	rm -rf dist
	$(BIN)/python -m bench.licences
	$(BIN)/python -m build --outdir dist
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file dist/overcast.cdx.json $(BIN)/python

audit: .venv/release        ## licences, and known weaknesses of what is pinned; needs the network
	$(BIN)/python -m bench.licences
	$(BIN)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

bench: .venv/developer      ## speed and memory; results go to bench/results
	$(BIN)/python bench/all.py

qgis: .venv/user            ## the plugin for QGIS, as a zip in dist/
	$(BIN)/python -m bench.qgis_plugin --zip dist

docs: .venv/docs            ## these pages and the reference as a site, in site/
	$(BIN)/python bench/commands.py
	$(BIN)/python bench/recipes.py
	$(BIN)/zensical build --clean --strict

clean:
	rm -rf .venv demo dist site bench/results
