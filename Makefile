# Each target makes its own virtual environment; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test

.PHONY: demo test tables bench clean

demo: $(STAMP)
	$(VENV)/bin/at-gateway demo

test: $(TEST_STAMP)
	$(VENV)/bin/ruff format --check gateway tests benchmarks
	$(VENV)/bin/ruff check gateway tests benchmarks
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest -n 4 --dist loadfile

tables: $(TEST_STAMP)
	cd tests && ../$(VENV)/bin/python -m support.generated

bench: $(TEST_STAMP)
	$(VENV)/bin/python -m benchmarks

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "AT Gateway needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(STAMP): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(TEST_STAMP): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(STAMP) $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
