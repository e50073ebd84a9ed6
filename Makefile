# Everything goes into .venv; nothing but the package registries is asked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench contracts browser postgres

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## the environment in .venv, from the lock file
$(STAMP): requirements.lock pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) bash tools/setup.sh $(VENV)
	@touch $(STAMP)

demo: setup ## start everything, play the sample calls, print addresses to open
	$(BIN)/banxi demo

browser: ## Chromium and a CJK font for the browser tests, where this may be installed
	@bash tools/browser.sh

postgres: ## PostgreSQL's programs for the tests on a real server, where this may be installed
	@bash tools/postgres.sh

test: setup browser postgres ## all tests: unit, connected (own nats-server), slow (models, browser)
	$(BIN)/pytest

check: setup ## format, lint, types, imports, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/banxi contracts check

bench: setup ## benchmarks, side by side with references in the same run
	$(BIN)/banxi bench all

contracts: setup ## generate AsyncAPI and JSON Schemas from the models
	$(BIN)/banxi contracts generate
