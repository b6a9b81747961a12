# Two commands need nothing but Python 3.11 and a network that reaches a package registry: make demo, make test.
VENV   ?= .venv
PYTHON ?= python3
PORT   ?= 8080
BIN     = $(VENV)/bin
PYTEST_ARGS ?=
# four at a time on two cores: many tests wait for a server. Ratios mean nothing beside others: these run apart
SPEED   = tests/test_speed.py tests/mapping/test_speed.py tests/codecs/test_cost.py

.PHONY: demo test coverage lint storm bench wheel clean

demo: $(VENV)/.ready
	$(BIN)/gateway demo --data data/demo --port $(PORT)

test: $(VENV)/.ready-dev lint
	rm -f .tests.xml
	$(BIN)/python -m pytest -p no:cov -n 4 --dist loadfile --junitxml=.tests.xml -m "not storm and not bench" $(SPEED:%=--ignore=%) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -p no:cov -p no:xdist -m "not storm" $(SPEED)
	@$(BIN)/python tests/what_was_left_out.py .tests.xml

# the same tests under a tracer, which takes a third longer; line coverage of gateway/ in percent
coverage: $(VENV)/.ready-dev
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n 4 --dist loadfile --cov --cov-report= -m "not storm and not bench" $(SPEED:%=--ignore=%) $(PYTEST_ARGS)
	$(BIN)/python -m coverage report --fail-under=90 --format=total

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

storm: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m storm --timeout=3600 $(PYTEST_ARGS)

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
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .coverage .tests.xml data/demo
