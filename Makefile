# The project's commands. `make demo` and `make test` need nothing but Python >= 3.11 and a package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint format coverage docs bench clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/ready  ## Design, audit and report on the embedded sample; prints where the report is
	$(BIN)/campro demo

test: $(VENV)/ready lint  ## Linter, type checker and all tests with coverage
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

lint: $(VENV)/ready  ## ruff (style, imports, annotations) and mypy (types)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/ready  ## Let ruff rewrite the layout
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/ready  ## Build the documentation site, strictly; prints where it is
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo site/index.html

bench: $(VENV)/ready  ## Run every benchmark (quiet machine, please); writes benchmarks/results
	for suite in benchmarks/[a-z]*_*.py; do $(BIN)/python -m benchmarks.$$(basename $$suite .py) || exit 1; done

clean:  ## Remove the environment and the caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .coverage
