# The project's commands. They need Python >= 3.11 and a package index; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
PYTEST = $(BIN)/python -m pytest --numprocesses $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder

# Every worker and every command that a test starts imports the same modules, so their bytecode is kept.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help demo paper-sample check test coverage check-lowest lint format docs bench lock clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{sub(/:.*/, "", $$1); printf "  make %-13s %s\n", $$1, $$2}'

$(VENV)/ready: pyproject.toml requirements/ci.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements/ci.txt --editable '.[dev,docs]'
	touch $@

# A second torch would take most of CI's time, so this environment sees the packages of the first one behind its own.
$(LOWEST)/ready: pyproject.toml requirements/lowest.txt $(VENV)/ready
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -c "import site, pathlib; pathlib.Path(site.getsitepackages()[0], 'shared.pth').write_text( \
	  '$(CURDIR)/$(VENV)' + site.getsitepackages()[0].removeprefix('$(CURDIR)/$(LOWEST)') + '\n')"
	$(LOWEST)/bin/python -m pip install --quiet --requirement requirements/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --no-deps --editable .
	touch $@

demo: $(VENV)/ready  ## Design, audit and report on the embedded sample; prints where the report is
	$(BIN)/campro demo

paper-sample: $(VENV)/ready  ## The paper's tables on the embedded sample, so that none of them rots
	$(BIN)/campro --quiet paper --scale sample --out build/paper-sample

check: WORKERS = 2
check: lint  ## Linter, type checker and the fast tests
	$(PYTEST) -m "not slow"

test: lint  ## Linter, type checker, all tests and the examples in docstrings; WORKERS=N, if other than 3 processes
	$(PYTEST) --doctest-modules tests src/campro

coverage: $(VENV)/ready  ## All tests, and the lines that none of them runs
	$(PYTEST) --cov --cov-report=term:skip-covered tests

check-lowest: $(LOWEST)/ready  ## Fast tests of files, data and metrics on the lowest supported dependencies
	CAMPRO_DATA= NUMBA_CACHE_DIR=$(CURDIR)/$(LOWEST)/numba $(LOWEST)/bin/python -m pytest -m "not slow" \
	  tests/core tests/data tests/metrics

lint: $(VENV)/ready  ## ruff (style, imports, annotations) and mypy (types)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/ready  ## Let ruff rewrite the layout
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/ready  ## Build the documentation site, strictly; prints where it is
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo site/index.html

bench: $(VENV)/ready  ## Run every benchmark (quiet machine, please); writes benchmarks/results
	for suite in benchmarks/[a-z]*_*.py; do $(BIN)/python -m benchmarks.$$(basename $$suite .py) || exit 1; done

lock:  ## Write requirements/ci.txt anew: the newest versions of all dependencies, in a fresh environment
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet '.[dev,docs]'
	{ echo "# Versions that CI runs with; written by \`make lock\`."; \
	  build/lock/bin/python -m pip freeze --exclude campro; } > requirements/ci.txt

clean:  ## Remove the environments and the caches
	rm -rf $(VENV) $(LOWEST) .pytest_cache .mypy_cache .ruff_cache .coverage build/lock site
