# `make demo` runs the main job, `make policy` warms the embedded policy up for problems of several steps,
# `make laboratory` trains the laboratory's small policy from scratch,
# `make test` the tests, `make check` lint and types, `make ui` serves the Dagster UI,
# `make locks` renews the pins of both locks from pyproject.toml,
# `make docs` renews the generated reference pages,
# `make screenshots` drives a browser through it and renews the pictures in docs/.
# Each sets up .venv first when it is missing or older than the lock.

PYTHON ?= python3
BIN := .venv/bin
LOCK := $(if $(shell command -v nvidia-smi 2>/dev/null),locks/gpu.txt,locks/cpu.txt)

export DAGSTER_HOME ?= $(CURDIR)/.dagster
export PYTHONWARNINGS ?= ignore::DeprecationWarning

SERVICES := $(addprefix tests/deployment/test_,browser.py daemon_rounds.py ray_round.py routing.py run_command.py run_faults.py slurm.py storage_faults.py stores.py)

.PHONY: setup policy laboratory demo ui screenshots docs locks check test test-services clean

setup: .venv/ready

.venv/ready: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"stepmill needs Python 3.11 or newer, {sys.executable} is {sys.version.split()[0]}: run make PYTHON=/path/to/python3.11")'
	@echo "Installing the pinned packages of $(LOCK) into .venv (about 4 GB; a minute or two) ..."
	$(PYTHON) -m venv .venv
	locks/install.sh .venv $(LOCK)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DAGSTER_HOME)/dagster.yaml: deploy/local/dagster.yaml
	@mkdir -p $(DAGSTER_HOME) && cp $< $@

# A thread that waits for the other one sleeps: one that spins takes the core from whatever else runs there.
policy: .venv/ready
	OMP_WAIT_POLICY=passive $(BIN)/python -m generators.training.warmed_up

laboratory: .venv/ready
	OMP_WAIT_POLICY=passive $(BIN)/python -m generators.training.laboratory

demo: .venv/ready $(DAGSTER_HOME)/dagster.yaml
	$(BIN)/stepmill run --round demo

ui: .venv/ready $(DAGSTER_HOME)/dagster.yaml
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/dg dev

screenshots: .venv/ready
	$(BIN)/pytest tests/deployment/test_browser.py --screenshots docs
	$(BIN)/pytest tests/releases/viewing/test_browser.py --screenshots docs $(addprefix --releases ,$(wildcard data/releases))

docs: .venv/ready
	$(BIN)/python -m dagster_project.reference

locks:
	PYTHON=$(PYTHON) locks/compile.sh $(UPGRADE)

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Every test but those below, within what CI waits for. Threads that wait sleep, as vLLM and trainers share the cores.
test: check
	OMP_WAIT_POLICY=passive $(BIN)/pytest -n 2 --dist loadgroup $(SERVICES:%=--ignore=%)

# Tests on Dagster's own processes, a browser, PostgreSQL and an object store; they wait for daemons.
test-services: .venv/ready
	$(BIN)/pytest $(SERVICES)

clean:
	rm -rf .venv
