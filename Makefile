# offhook: one word a job. Everything lives in .venv and .venv-*; nothing is installed system-wide but, if they are missing and we
# may, Debian's libflite1 (a better voice), python3-venv, and for `fast` a C compiler and the headers of Python.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help fast demo test check units shells houses storms bench nightly plugins lock clean

help: ## what each word does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

fast: .venv-fast/ready ## the same program with the hot modules compiled: .venv-fast/bin/offhook
	@[ -e .venv-fast/ready ]

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

# On the compiled core, against which the tests of calls are run as well; without a C compiler the storms run interpreted.
storms: .venv-fast/ready
	if [ -e .venv-fast/ready ]; then $(COMPILED) tests/unit/voice tests/unit/telephony tests/integration/voice; \
	else $(BIN)/pytest -p no:cacheprovider tests/unit/voice/test_storms.py; fi

check: .venv/ready ## under a minute: format, lint, import contracts, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

bench: .venv-fast/ready ## the measurements, in their short form: compiled, where there is a C compiler
	if [ -e .venv-fast/ready ]; then .venv-fast/bin/offhook bench all; else $(BIN)/offhook bench all; fi

nightly: .venv-fast/ready ## everything of calls on the compiled core, and a million storms: some hours on one core
	[ -e .venv-fast/ready ]
	OFFHOOK_STORMS=1000 $(COMPILED) $(wildcard $(addprefix tests/*/,voice* telephony benchmarks))
	OFFHOOK_STORMS=1000000 $(COMPILED) tests/unit/voice/test_storms.py

plugins: .venv/ready ## by night: other people's plug-ins, each framework in an environment of its own
	sh tools/plugins.sh

lock: ## choose versions anew
	$(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --python-version 3.11 --extra vendors pyproject.toml --group dev -o requirements.lock

.venv/ready: requirements.lock pyproject.toml tools/setup.sh tools/common.sh
	PYTHON=$(PYTHON) sh tools/setup.sh

# A wheel with compiled modules, in an environment beside .venv. Is there no `ready` in it afterwards, there is no C compiler.
SOURCES := $(shell find voice telephony context compliance dialer storage api benchmarks -type f ! -name '*.pyc')

.venv-fast/ready: .venv/ready setup.py tools/fast.sh tools/common.sh $(SOURCES)
	sh tools/fast.sh || [ $$? = 3 ]

# Tests against the wheel: nothing may be loaded from the checkout, neither here nor in the processes that tests start.
COMPILED = PYTHONSAFEPATH=1 OFFHOOK_COMPILED=1 .venv-fast/bin/python -m pytest -o pythonpath= -p no:cacheprovider

clean: ## forget the environments and what the demo left
	rm -rf .venv .venv-* build .offhook
