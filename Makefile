# Each target does all of its own set-up in .venv; the second time it starts at once.
PYTHON ?= python3
DOMAINS ?= data/targets/sample.txt
BIN := .venv/bin
READY := .venv/ready

.PHONY: crawl demo test lint format bench clean

crawl: $(READY)  ## crawl a domain list: make crawl DOMAINS=my.csv
	$(BIN)/technograph crawl $(DOMAINS)

demo: $(READY)  ## the same main job on a small web served on this machine; needs no internet
	$(BIN)/technograph demo

test: $(READY) lint  ## everything CI checks
	$(BIN)/python -m pytest -n auto

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/technograph rules fmt --check
	$(BIN)/technograph rules check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/technograph rules fmt

$(READY): pyproject.toml constraints.txt hatch_build.py fingerprints/native.pyx
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --constraint constraints.txt --group dev --editable .
	touch $(READY)

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache
