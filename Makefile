# One recipe a chore; CI calls the same ones.

PYTHON ?= python3
# A test starts up to seven processes of its own: more than one test a core is no faster, and starves them.
AT_ONCE ?= 2
BIN := .venv/bin

.PHONY: help seed test conformance setup check format lock dev clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

seed: setup ## make the knowledge base of sample_corpus/ (or of SEEDBANK_CORPUS)
	@$(BIN)/seedbank seed

test: setup ## run the tests
	@$(BIN)/pytest --numprocesses $(AT_ONCE) --dist worksteal -m "not alone"
	@$(BIN)/pytest -m alone

conformance: setup ## run Dagster's own tests against its event logs and ours
	@$(BIN)/python tests/conformance/run.py

setup: .venv/installed ## make .venv from the lock file

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "Seedbank needs Python 3.11 to 3.13; $(PYTHON) is another. Say: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Installing into .venv; this takes about a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

check: setup ## lint, types and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/pytest -q tests/test_imports.py

format: setup ## let ruff lay out the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## choose the newest releases that pyproject.toml allows
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
		--group dev --upgrade pyproject.toml --output-file requirements.lock

dev: setup ## open Dagster on http://127.0.0.1:3000
	@$(BIN)/seedbank dev

clean: ## remove .venv (never the knowledge base)
	@rm -rf .venv
