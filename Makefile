# smsd. `make demo` shows it working, `make test` proves it; both set themselves up.

PYTHON ?= python3
ARGS   ?=
BIN    := .venv/bin
# Processes that share the tests.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format torture fuzz bench bench-engine lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/ready  ## a virtual environment from the pinned, hashed requirements

# The lists differ only in the tools of the trade; one environment serves all targets.
.venv/ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "smsd needs Python 3.11 or newer; name one with: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: setup  ## play a conversation with the daemon, then stay up (ARGS=--once: end after it)
	$(BIN)/smsd demo $(ARGS)

test: setup npm-parts  ## all tests (ARGS="-k receipts": some)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

interop: setup npm-parts  ## what SMPP peers written by others and smsd can do with each other
	$(BIN)/python tests/interop $(ARGS)

# What tests use from npm lies beside its scripts. Who has no npm, or no network, does without.
.PHONY: interop npm-parts
NPM_PARTS   := tests/interop/peers/npm tests/browser/npm
NPM_OPTIONS := --silent --no-audit --no-fund --ignore-scripts --fetch-retries=1 --fetch-retry-mintimeout=1000
npm-parts:
	@for folder in $(NPM_PARTS); do ( cd $$folder; \
	  if cmp -s package-lock.json node_modules/.installed; then :; \
	  elif ! command -v npm >/dev/null; then echo "npm is not installed: $$folder is left out"; \
	  elif npm ci $(NPM_OPTIONS); then cp package-lock.json node_modules/.installed; \
	  else echo "npm could not install $$folder: it is left out"; fi ) done

# In a browser, with people, traffic and a past; see tests/browser/__main__.py.
.PHONY: screenshots
screenshots: setup  ## pictures of the desk's pages, as the README shows them
	$(BIN)/python tests/browser $(ARGS)

check: setup  ## formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup  ## put the code in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

torture: setup  ## SIGKILL 300 times, cut the power, and catch three planted faults (ARGS=--help)
	$(BIN)/python tests/torture $(ARGS)

# atheris has wheels for few machines, and the tests do without: a room of its own.
.venv-fuzz/ready: requirements-fuzz.txt
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@

fuzz: setup .venv-fuzz/ready  ## hostile octets against all that reads SMPP, 10 minutes (ARGS="--seconds 60": less)
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: setup  ## every figure, beside Kannel and a bare loop (ARGS=--full: at full size)
	$(BIN)/python -m benchmarks $(ARGS)

# The engines beside ours want other versions of what they share with us: a room of their own.
.venv-bench/ready: requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

bench-engine: .venv-bench/ready  ## decide with 22 rules, beside three other rule engines
	.venv-bench/bin/python -m benchmarks.engine $(ARGS)

lock: setup  ## pin the newest versions that pyproject.toml admits
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	for extra in "requirements.txt" "requirements-dev.txt --extra dev" \
	    "requirements-bench.txt --extra bench"; do \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-emit-index-url pyproject.toml -o $$extra; done
	.venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --group fuzz -o requirements-fuzz.txt
	rm -rf .venv-lock

clean:  ## remove what was built or stored here
	rm -rf .venv .venv-lock .venv-bench .venv-fuzz .fuzz/grown $(NPM_PARTS:=/node_modules) \
	  var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
