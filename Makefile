# Two commands need nothing but Python 3.11 and a network that reaches a package registry: make demo, make test.
VENV   ?= .venv
PYTHON ?= python3
PORT   ?= 8080
BIN     = $(VENV)/bin
PYTEST_ARGS ?=
# four at a time on two cores: many tests wait for a server; the files that take longest first (tests/conftest.py)
CROWD   = -n 4 --dist loadfile --no-loadscope-reorder
# ratios mean nothing beside others: these run apart
SPEED   = tests/test_speed.py tests/mapping/test_speed.py tests/codecs/test_cost.py
# what was compiled once is not compiled by each of the four, and by each command that a test starts
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test coverage lint collected storm bench wheel clean

demo: $(VENV)/.ready
	$(BIN)/gateway demo --data data/demo --port $(PORT)

# a test that falls beside others is run once more alone, and named: docs/decisions/0073-a-second-try-alone.md
test: $(VENV)/.ready-dev
	@$(MAKE) --no-print-directory -j 2 lint collected
	$(BIN)/python -m tests.run_twice .tests.xml -p no:cov $(CROWD) -m "not storm and not bench" $(SPEED:%=--ignore=%) $(PYTEST_ARGS)
	$(BIN)/python -m tests.run_twice .tests.speed.xml -p no:cov -p no:xdist -m "not storm" $(SPEED)
	@$(BIN)/python -m tests.what_was_left_out .tests.xml .tests.speed.xml

# the same tests under a tracer, which takes a third longer; line coverage of gateway/ in percent
coverage: $(VENV)/.ready-dev
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest $(CROWD) --cov --cov-report= -m "not storm and not bench" $(SPEED:%=--ignore=%) $(PYTEST_ARGS)
	$(BIN)/python -m coverage report --fail-under=90 --format=total

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

# what the four would each compile; it costs nothing beside the type checker. What is wrong with a test module the run itself tells
collected: $(VENV)/.ready-dev
	@$(BIN)/python -m pytest -p no:cov -p no:xdist --collect-only -q >/dev/null 2>&1 || true

# no second try here, and properties are tried with examples of their own each time
storm: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m storm --timeout=3600 $(PYTEST_ARGS)
	GATEWAY_EXAMPLES=1000 $(BIN)/python -m pytest -m "hypothesis and not storm" --timeout=3600 $(PYTEST_ARGS)

bench: $(VENV)/.ready-dev
	$(BIN)/python benchmarks/run.py

wheel: $(VENV)/.ready-dev
	$(BIN)/python -m build --wheel

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/python -m compileall -q gateway
	$(BIN)/gateway artefacts fetch || echo "The UBL schemas could not be fetched: XSD checks of orders and despatch advices say not_run. Later: $(BIN)/gateway artefacts fetch"
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .coverage .tests*.xml .tests*.unstable data/demo
