# make run    set up and open the app on the demo projects
# make test   set up, lint, check types and pass every test, browser tests included
# make soak   the long tests
# make bench  every benchmark; one alone: .venv/bin/python -m tests.bench NAME
# make screenshots   the pictures of README and docs, from the demo projects
PYTHON := .venv/bin/python
RUN_FLAGS ?=

.PHONY: run test lint soak bench screenshots

run:
	@./setup.sh run
	@$(PYTHON) -m app --open $(RUN_FLAGS)

test: lint
	@$(PYTHON) -m pytest -q -m "not soak" --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint:
	@./setup.sh test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

soak:
	@./setup.sh test
	@$(PYTHON) -m pytest -q -m soak

bench:
	@./setup.sh test
	@$(PYTHON) -m tests.bench all

screenshots:
	@./setup.sh test
	@$(PYTHON) -m tests.screenshots
