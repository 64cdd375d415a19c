# Everything a fresh machine needs is python3, git and make itself. `make up` installs the rest into this folder and starts Agentbase.
# PYTHON=3.13 takes another interpreter, in an environment of its own (.venv-3.13).

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?=
VENV := .venv$(if $(PYTHON),-$(PYTHON))
export UV_PROJECT_ENVIRONMENT := $(VENV)
# An `uv` that is there is used; else one is put into .tools, which only this folder sees.
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
# --inexact: `make up` after `make test` must not throw the test tools out again.
SYNC := $(UV) sync --frozen --inexact --quiet $(if $(PYTHON),--python $(shell .ci/find-python $(PYTHON)),--python-preference system)
BIN := $(VENV)/bin
# Images often forbid Python to keep what it compiled beside the sources. It then keeps it in .tools:
# compiling all modules anew is more than half of every start, and the tests start hundreds of processes.
ifneq ($(PYTHONDONTWRITEBYTECODE),)
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.tools/bytecode
endif

.PHONY: help up dev sync sync-test test packages check format bench bench-peers fault assets docs clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1	/' | expand -t 18

up: sync ## install what is missing and start Agentbase here (Ctrl-C stops it)
	@exec $(BIN)/agentbase up $(ARGS)

dev: sync-test ## like up, and reload Python, templates and static files when they change
	@exec $(BIN)/agentbase up --reload $(ARGS)

.tools/bin/uv:
	@.ci/get-uv

sync: $(UV)
	@$(SYNC)

sync-test: $(UV)
	@$(SYNC) --group test --group bench

packages:
	@.ci/get-packages

test: sync-test packages ## every test; a part of them: make test ARGS="tests/flows -k join"
	@$(BIN)/python -m pytest -n auto --dist worksteal $(if $(ARGS),$(ARGS),--ignore tests/fault)
	@# storms kill servers and count seconds: they get the machine to themselves
	@$(if $(ARGS),,$(BIN)/python -m pytest -q -p no:xdist tests/fault)

check: sync-test ## ruff, format, mypy --strict, import borders
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: sync-test ## let ruff put the code in shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: sync-test packages ## one JSON line for each figure (about 9 minutes); one of them: make bench ARGS=start
	@$(BIN)/python -m tests.bench.run $(ARGS)

bench-peers: sync-test ## Node-RED (from npm, into .tools) and Agentbase side by side; needs Node
	@$(BIN)/python -m tests.bench.peers.nodered

fault: sync-test ## one fault scenario, long form: make fault F=F-01
	@$(if $(F),,echo "Which one? For example: make fault F=F-01 (tests/fault lists them)." >&2; exit 2;) \
	$(BIN)/python -m pytest tests/fault -p no:xdist -k "$(subst -,_,$(F))" --fault-size=full $(ARGS)

assets: sync ## rebuild static/dist from static/src (the only target that needs Node)
	@$(BIN)/python tools/assets.py $(ARGS)

docs: $(UV) ## the documentation as a site, in site/
	@$(SYNC) --group docs
	@$(BIN)/mkdocs build --strict

clean: ## remove what these targets installed and cached; never your data (.agentbase)
	rm -rf .venv .venv-* .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache site
