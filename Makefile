# Two commands are enough on a fresh machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_HOME ?= data/demo
STAMP := $(VENV)/.installed
STAMP_DEV := $(VENV)/.installed-dev

# What `make test` leaves out; `make test LEFT_OUT=` runs the pages in a browser too, on the same samples.
LEFT_OUT ?= browser

.PHONY: setup demo test quick check style browser bench docs lock clean

setup: $(STAMP)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# Bytecode is compiled here, once: importing Great Expectations takes 9 s without it.
$(STAMP): requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-compile -e .
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib flows transforms expectations warehouse sample_data || true
	touch $@

$(STAMP_DEV): requirements-dev.txt $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements-dev.txt
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib || true
	touch $@

# Sample deliveries of 2024, the nightly run, the numbers of the office.
demo: $(STAMP)
	$(BIN)/kpi sample --years 2024 --home $(DEMO_HOME)
	$(BIN)/kpi run --home $(DEMO_HOME)
	$(BIN)/kpi services --year 2024 --format table --home $(DEMO_HOME)
	$(BIN)/kpi services --year 2024 --by region --format table --home $(DEMO_HOME)
	$(BIN)/kpi values --year 2024 --format table --home $(DEMO_HOME)
	$(BIN)/kpi scores --year 2024 --format table --home $(DEMO_HOME)
	@echo "Published files: $(DEMO_HOME)/published (kpi.duckdb, parquet/, datapackage.json, manifest.json)"
	@echo "Validation pages: $(DEMO_HOME)/reports/validation/index.html"

style: $(STAMP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

check: style
	$(BIN)/python -m docs.generate --check

# Before every commit: style, types, and the tests that neither run the flow nor need the sample of a year.
quick: style
	$(BIN)/python -m pytest tests/unit tests/contract tests/golden -m "not browser and not sample"

test: check
	$(BIN)/python -m pytest -m "$(if $(LEFT_OUT),not $(LEFT_OUT))"

# The pages in a real browser; needs Debian's chromium.
browser: $(STAMP_DEV)
	$(BIN)/python -m pytest -m browser -n 0

bench: $(STAMP_DEV)
	$(BIN)/python -m benchmarks.million_rows
	$(BIN)/python -m benchmarks.five_years

# Writes the generated pages under docs/ anew.
docs: $(STAMP_DEV)
	$(BIN)/python -m docs.generate

# Pins every package with its hashes, from the two .in files.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	for part in requirements requirements-dev; do \
	  $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras \
	    $$part.in -o $$part.txt; \
	  $(VENV)-lock/bin/python docs/pin_both_names.py $$part.txt; \
	done
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
