# Everything runs in .venv, which the first target that needs it makes. Python 3.11 or newer.
PYTHON ?= python3
TASK ?= classification
LANGUAGE ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo setup test check lint types slow clean

demo: $(VENV)/.train
	@$(BIN)/python tools/builtin_packages.py demo $(TASK) $(LANGUAGE)
	@$(BIN)/truetune demo $(TASK) $(if $(LANGUAGE),--lang $(LANGUAGE))

setup: $(VENV)/.develop

test: $(VENV)/.develop
	$(BIN)/python -m pytest -n 2 --dist loadfile

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

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing truetune with PyTorch into $(VENV)"
	$(PIP) -e '.[train]'
	@touch $@

$(VENV)/.develop: $(VENV)/.train pyproject.toml constraints.txt
	@echo "installing what tests, benchmarks and the reference libraries need"
	$(PIP) -e '.[train,excel,develop]'
	$(BIN)/python tools/builtin_packages.py all
	@touch $@
