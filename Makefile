# Everything runs in .venv, which the first target that needs it makes. Python 3.11 or newer is all it asks for.
PYTHON ?= python3
TASK ?= classification
# `make demo LANGUAGE=zh` or `=en`; else the locale decides. (The variable of that name in the environment is another one.)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo setup test check lint types slow clean

demo: $(VENV)/.train
	@$(BIN)/truetune demo $(TASK) $(if $(findstring command,$(origin LANGUAGE)),--lang $(LANGUAGE))

setup: $(VENV)/.develop

test: $(VENV)/.develop
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: lint types test

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.develop
	$(BIN)/mypy

slow: $(VENV)/.develop
	$(BIN)/python -m pytest -m slow

clean:
	rm -rf $(VENV)

$(VENV)/.python: 
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "truetune needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.train: $(VENV)/.python pyproject.toml constraints.txt
	@echo "installing truetune with PyTorch into $(VENV) (a minute or two)"
	$(PIP) -e '.[train]'
	@touch $@

$(VENV)/.develop: $(VENV)/.train
	@echo "installing what tests, benchmarks and the reference libraries need"
	$(PIP) -e '.[train,develop]'
	@touch $@
