# Everything a clone needs: git, make and Python >= 3.11. `make demo` and `make test` do the rest.

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
OLDEST := $(CURDIR)/.venv-oldest
PIP_FLAGS := --quiet --disable-pip-version-check
FLIGHTS := examples/flights

.PHONY: demo test slow check format lint oldest bench pictures clean

demo: .venv/.demo                       ## run the example: CSV files to a table and a plot
	@cd $(FLIGHTS) && $(BIN)/acc build
	@echo
	@echo "To look around: source .venv/bin/activate; cd $(FLIGHTS)"
	@echo "  acc log                   all jobs, newest first"
	@echo "  acc job plot_delays       one job: what it was given, what it made"
	@echo "  acc ds -r 5 add_airline   a dataset: columns, types, some rows"
	@echo "  acc results               what each result comes from"
	@echo "  acc board --open          all of it in a browser"
	@echo "Results: $(FLIGHTS)/results/delays.json, $(FLIGHTS)/results/delays.png"

test: .venv/.test                       ## all tests but the slow ones, on two cores
	$(BIN)/python -m pytest -n 2 -m "not slow"

slow: .venv/.test                       ## the long loops
	$(BIN)/python -m pytest -n 2 -m slow

check: .venv/.test lint                 ## what has to pass before a commit
	$(MAKE) test

lint: .venv/.test                       ## format, style, types, import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.test                     ## rewrite the code as ruff likes it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

oldest: .venv-oldest/.made              ## the tests, with the oldest dependencies that we promise
	$(OLDEST)/bin/python -m pytest -n 2 -m "not slow"

bench: .venv/.demo                      ## acc beside its peer; make bench BENCH="ds csv memory frames", =store, =remote, =board
	$(BIN)/python benchmarks/run.py $(BENCH)

pictures: .venv/.test                   ## the pictures of the board in docs/pictures, taken anew; needs chromium
	$(BIN)/python -m tests.porcelain.board.pictures

clean:                                  ## forget all that the targets above made
	rm -rf .venv .venv-oldest dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf $(FLIGHTS)/.acc $(FLIGHTS)/results benchmarks/.work

# A stamp file stands for an installed venv, so that nothing is installed twice.

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "acc needs Python 3.11: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.demo: .venv/.made pyproject.toml $(FLIGHTS)/requirements.txt
	$(BIN)/python -m pip install $(PIP_FLAGS) -e '.[board]' -r $(FLIGHTS)/requirements.txt
	@touch $@

.venv/.test: .venv/.demo
	$(BIN)/python -m pip install $(PIP_FLAGS) -e '.[lint,test]'
	@touch $@

.venv-oldest/.made: pyproject.toml constraints/oldest.txt $(FLIGHTS)/requirements.txt
	$(PYTHON) -m venv .venv-oldest
	$(OLDEST)/bin/python -m pip install $(PIP_FLAGS) -c constraints/oldest.txt -e '.[test]' -r $(FLIGHTS)/requirements.txt
	@touch $@
