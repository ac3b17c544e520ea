# Two words to know: `make demo` and `make test`. Both set everything up first; run them as root or not, as often as you like.
SHELL := /bin/sh
export VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
# A live run mostly waits: more of them at once than there are cores.
LAB_JOBS ?= 8
.DEFAULT_GOAL := help
.PHONY: help demo test lab-quick lab square check format lint types contracts docs samples bench accuracy wheel ready ready-dev clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

ready:
	@sh scripts/set_up.sh

ready-dev:
	@sh scripts/set_up.sh dev

demo: ready  ## set up, then judge a bundled sample and write the report of a simulated evening
	@$(BIN)/fingerprint demo

test: ready-dev  ## set up, then run the tests (not those marked slow)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m "not slow and not lab" $(ARGS)

lab-quick: ready-dev  ## every preset of the laboratory once, live; without a laboratory it fails
	@CI=true $(BIN)/python -m pytest -q -n $(LAB_JOBS) --dist worksteal -m lab $(ARGS)

lab: ready-dev  ## the whole grid of the laboratory, as a table (hours; LAB="PRESET… --sample 100" for some of it)
	@$(BIN)/python scripts/lab.py $(LAB) --jobs $(LAB_JOBS)
	@$(BIN)/python scripts/lab.py --jobs $(LAB_JOBS) --orders

square: ready-dev  ## every technique against every preset and every innocent sample, simulated, as a table
	@$(BIN)/python scripts/square.py --jobs $(JOBS) $(SQUARE)

check: ready-dev format lint types contracts test docs  ## all that must hold before a commit

format: ready-dev
	@$(BIN)/ruff format --check --quiet . || { echo "to mend: $(BIN)/ruff format ."; exit 1; }

lint: ready-dev
	@$(BIN)/ruff check --quiet .

types: ready-dev
	@$(BIN)/mypy --no-error-summary

contracts: ready-dev
	@$(BIN)/lint-imports --no-cache

docs: ready-dev  ## build the documentation into docs/_build/html
	@$(BIN)/python docs/generate.py
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

samples: ready-dev  ## make the bundled samples again from their recipes
	@for recipe in captures/samples/*/make.py; do $(BIN)/python "$$recipe" || exit 1; done

bench: ready  ## packets per second beside dpkt, scapy and a C ceiling (BENCH_CAPTURE=, BENCH_CEILING=)
	@$(BIN)/python bench/run.py

accuracy: ready-dev  ## judge an external corpus: make accuracy CORPUS=DIR
	@test -n "$(CORPUS)" || { echo "name the corpus: make accuracy CORPUS=DIR"; exit 2; }
	@$(BIN)/python scripts/accuracy.py "$(CORPUS)" --jobs $(JOBS)

wheel: ready-dev
	@$(BIN)/python -m build --wheel --outdir dist . >/dev/null

clean:
	@rm -rf $(VENV) build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis
