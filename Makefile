# One recipe a chore; CI calls the same ones.

PYTHON ?= python3
# A test starts up to seven processes of its own: more than one test a core is no faster, and starves them.
AT_ONCE ?= 2
BIN := .venv/bin
# Tests start hundreds of processes, each of which would compile the project's modules again.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	--python-version 3.11 pyproject.toml
# A store waits for the disk at each commit, thousands of times in the fast tests, but not where files are in memory. They need
# less than 1 GB at a time, since a test that passed leaves nothing there. A container may have 64 MB of it.
define IN_MEMORY
memory=$$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 {print $$6}'); \
	export TMPDIR=$$(mktemp -d "$${memory:-$${TMPDIR:-/tmp}}/seedbank-tests.XXXXXX"); trap 'rm -rf "$$TMPDIR"' EXIT; trap exit INT TERM
endef
# What deploy/Dockerfile installs.
DEPLOYED := --extra postgres --extra redis --extra remote --extra celery
define INSTALL
$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	echo "Seedbank needs Python 3.11 to 3.13; $(PYTHON) is another. Say: make PYTHON=python3.11 ..."; exit 1; }; \
	echo "Installing into .venv; this takes about half a minute."; \
	test -x $(BIN)/python || $(PYTHON) -m venv .venv; \
	$(BIN)/python install.py
endef

.PHONY: help seed prove test test-fast conformance setup setup-dev check format lock dist docs dev clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

seed: setup ## make the knowledge base of sample_corpus/ (or of SEEDBANK_CORPUS)
	@$(BIN)/seedbank seed

prove: setup ## prove that nothing is paid twice or lost, whatever fails
	@$(BIN)/seedbank prove

test: setup-dev ## run all tests
	@$(BIN)/pytest --numprocesses $(AT_ONCE) --dist loadfile --no-loadscope-reorder --durations 20 -m "not alone"
	@$(BIN)/pytest -m alone $$(grep -rl --include='test_*.py' 'mark\.alone' tests)

test-fast: setup-dev ## run the tests that start no process, run no Dagster and need no service
	@$(IN_MEMORY); $(BIN)/pytest --numprocesses $(AT_ONCE) --dist worksteal -m "not integration and not slow and not alone"

conformance: setup-dev ## run Dagster's own tests against its event logs and ours
	@$(BIN)/python tests/event_log/conformance/run.py

setup: .venv/installed ## make .venv from the lock file, with what the commands need

setup-dev: .venv/installed-dev ## the same, with what the tests and benchmarks need

.venv/installed: requirements.lock pyproject.toml install.py
	@$(INSTALL) requirements.lock
	@touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml install.py
	@$(INSTALL) requirements-dev.lock
	@touch .venv/installed $@

check: setup-dev docs ## lint, types, import rules, and whether the documentation site can be built
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/pytest -q tests/test_imports.py tests/test_dependencies.py

format: setup-dev ## let ruff lay out the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup-dev ## choose the newest releases that pyproject.toml allows
	@$(COMPILE) --upgrade --group dev --output-file requirements-dev.lock
	@cp requirements-dev.lock requirements.lock
	@$(COMPILE) --group build --output-file requirements.lock
	@cp requirements-dev.lock requirements-deploy.lock
	@$(COMPILE) --group build $(DEPLOYED) --output-file requirements-deploy.lock
	@$(filter-out pyproject.toml,$(COMPILE)) --upgrade --group docs --output-file requirements-docs.lock

dist: setup-dev ## build the source archive and the wheel in dist/
	@$(BIN)/uv build --quiet --no-build-isolation --out-dir dist

docs: setup .venv-docs/installed ## build the documentation site in .site/site; a warning is an error
	@$(BIN)/python docs/build_site.py pages .site
	@.venv-docs/bin/zensical build --strict --clean --config-file .site/zensical.toml
	@$(BIN)/python docs/build_site.py check .site/site
	@echo "To read it: python3 -m http.server --directory .site/site"

.venv-docs/installed: requirements-docs.lock
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --require-hashes -r requirements-docs.lock
	@touch $@

dev: setup ## open Dagster on http://127.0.0.1:3000
	@$(BIN)/seedbank dev

clean: ## remove .venv and the built site (never the knowledge base)
	@rm -rf .venv .venv-docs .site
