# `make` lists what there is. The environment lives in .venv and is made once; remove it with `make clean`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# A question reaches the program through the environment, so that quotes, $ and backticks in it are only text.
# $(value Q) keeps make itself from expanding it.
override Q := $(value Q)
export Q

.DEFAULT_GOAL := help
.PHONY: help install ask chat index eval test unit lint wheel check clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(STAMP) ## Make the environment and install Waymark into it

ask: install ## Ask one question: make ask Q="What is LoRA?"
	@test -n "$$Q" || { echo 'Usage: make ask Q="What is LoRA?"' >&2; exit 2; }
	@$(BIN)/waymark ask -- "$$Q"

chat: install ## Open Waymark in the browser
	@$(BIN)/waymark chat

index: install ## Build the index or bring it up to date
	@$(BIN)/waymark index

eval: install ## Measure answers and scorers offline, in one report: a few minutes
	@$(BIN)/waymark eval suite

test: install ## Run the tests
	$(BIN)/python -m pytest

unit: install ## Run the quick tests only: no processes and no servers
	$(BIN)/python -m pytest -m "not slow"

lint: install ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

wheel: install ## Build the wheel and try it in another environment and folder
	.ci/try-wheel $(BIN)/python

check: lint test wheel ## Everything that has to pass before a commit

clean: ## Remove the environment, builds and caches; the index stays
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
