# Two commands for a newcomer: `make demo` and `make test`. Python 3.11+ and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup dev demo test check browser docs screens bench bench-long lock clean

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
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing what its tests run on ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

dev: $(VENV)/.dev

$(VENV)/.bench: $(VENV)/.dev requirements-bench.txt
	@echo "installing what its plot is drawn with ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

demo: setup
	@rm -f demo.db demo.db-wal demo.db-shm demo.db.key
	@$(BIN)/farecard demo --serve

# Style, types, layers, then every test; the same that CI runs.
test: dev browser check
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: dev
	@$(BIN)/ruff check src tests bench examples
	@$(BIN)/mypy

# The tests of the pages look at them with Debian's chromium.
browser:
	@command -v chromium > /dev/null || { \
	  echo "installing chromium, which the tests of the pages look at them with ..."; \
	  [ "$$(id -u)" = 0 ] && apt-get -qq update > /dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive \
	    apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk > /dev/null 2>&1; } || \
	  echo "chromium cannot be installed from here: the tests in a browser are left out; as root: apt-get install chromium"

# The pictures of the docs, taken by the tests (needs chromium).
screens: dev browser
	@mkdir -p docs/screens
	@FARECARD_SCREENS=1 $(BIN)/python -m pytest tests/test_screens.py -n 0

docs: dev
	@$(BIN)/python tests/make_docs.py

# Needs a quiet machine: about six minutes; the long one half an hour. BENCH="--only pgbench" for one step.
bench: $(VENV)/.bench
	@$(BIN)/python bench/run.py $(BENCH)

bench-long: $(VENV)/.bench
	@$(BIN)/python bench/run.py --long $(BENCH)

# Write the locks anew (needs uv): every version with its hash, no index named.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -q requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -q requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -q -c requirements-dev.txt requirements-bench.in -o requirements-bench.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis demo.db*
