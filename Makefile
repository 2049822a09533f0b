# offhook: one word a job. Everything lives in .venv; nothing is installed system-wide but, if they are missing and we may,
# Debian's libflite1 (a better voice) and python3-venv.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help demo test check units shells houses storms bench nightly plugins lock clean

help: ## what each word does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: .venv/ready ## a small campaign on this machine, real audio both ways, no account
	$(BIN)/offhook demo

test: .venv/ready ## everything CI runs: style, types, contracts, all tests, coverage of the cores
	rm -f .coverage .coverage.*
	$(MAKE) --jobs=2 --keep-going --output-sync --no-print-directory check shells houses units storms
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Parts of `test`, two at a time where there are two cores; each of them runs alone as well. What takes longest goes first.
COVERED = OFFHOOK_STORMS=200 COVERAGE_FILE=.coverage.$@ $(BIN)/coverage run -m pytest -p no:cacheprovider

shells: .venv/ready
	$(COVERED) $(filter-out tests/integration/api%,$(wildcard tests/integration/*))

houses: .venv/ready
	$(COVERED) $(wildcard tests/integration/api*) tests/acceptance

units: .venv/ready
	$(COVERED) tests/unit

storms: .venv/ready
	$(BIN)/pytest -p no:cacheprovider tests/unit/voice/test_storms.py

check: .venv/ready ## under a minute: format, lint, import contracts, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

bench: .venv/ready ## the measurements, in their short form
	$(BIN)/offhook bench all

nightly: .venv/ready ## a million storms: some hours on one core
	OFFHOOK_STORMS=1000000 $(BIN)/pytest tests/unit/voice/test_storms.py

plugins: .venv/ready ## by night: other people's plug-ins, each framework in an environment of its own
	sh tools/plugins.sh

lock: ## choose versions anew
	$(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --python-version 3.11 --extra vendors pyproject.toml --group dev -o requirements.lock

.venv/ready: requirements.lock pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) sh tools/setup.sh

clean: ## forget the environment and what the demo left
	rm -rf .venv .venv-* .offhook
