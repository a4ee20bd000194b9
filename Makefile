# Two commands for a newcomer: `make demo` and `make test`. Python 3.11+ and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup dev demo test check docs bench lock clean

setup: $(VENV)/.run

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "farecard needs Python 3.11 or newer; '$(PYTHON)' is" `$(PYTHON) --version`; \
	  echo "name another one: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements.txt pyproject.toml
	@echo "installing what farecard runs on ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing what its tests run on ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

dev: $(VENV)/.dev

demo: setup
	@rm -f demo.db demo.db-wal demo.db-shm demo.db.key
	@$(BIN)/farecard demo

# Style, types, layers, then every test; the same that CI runs.
test: dev check
	@$(BIN)/python -m pytest -n auto

check: dev
	@$(BIN)/ruff check src tests bench
	@$(BIN)/mypy

docs: dev
	@$(BIN)/python tests/make_docs.py

bench: dev
	@$(BIN)/python bench/run.py $(BENCH)

# Write the locks anew (needs uv): every version with its hash, no index named.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -q requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -q requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis demo.db*
