# Two commands do everything on a fresh machine: `make book` and `make test`. `make help` lists the rest.

FETCHED := $(if $(shell command -v uv),,.uv/bin/uv)# where there is no uv
UV := $(or $(FETCHED),uv)
BIN := .venv/bin
PYTHON ?= >=3.11,<3.14# which Python uv looks for (and fetches where there is none)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --no-deps
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes
GROUPS = --group site --group mxnet --group pytorch --group tensorflow --group classical --group test
NBVAL = $(BIN)/pytest --nbval-lax --nbval-current-env notebooks/en $(wildcard notebooks/ja/*/exercises.ipynb)
TWO = --numprocesses 2 --dist loadfile# test files at a time: frameworks take up to 3 GB each
CHOICE = $(addprefix --backend ,$(BACKEND)) $(addprefix --chapter ,$(CHAPTER)) $(addprefix --profile ,$(PROFILE))

.PHONY: help book serve notebooks test bench test-gpu check lock clean
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' Makefile

book: .venv/site ## build both editions, with the reader's wheel, and say where to open them
	$(BIN)/bookweave build
	$(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir _site && rm -f _site/.gitignore

serve: book ## build the book and serve it at http://localhost:8000
	$(BIN)/python -m http.server --directory _site --bind localhost 8000

notebooks: .venv/all ## run notebooks: make notebooks BACKEND=pytorch CHAPTER=training PROFILE=full
	$(BIN)/bookweave run $(CHOICE)

test: .venv/all book ## run every test: package, notebooks (profile smoke), site in a browser, style, freshness
	$(BIN)/pytest $(TWO)
	ALEXBOOK_PROFILE=smoke OMP_NUM_THREADS=1 $(NBVAL) $(TWO)

bench: .venv/all ## measure d2l's speed and ours on this machine, and keep the values in src/alexbook (an hour)
	$(BIN)/python scripts/bench.py

test-gpu: .venv/all ## run the notebooks in full, on a GPU (hours on a CPU)
	ALEXBOOK_PROFILE=full $(NBVAL) --nbval-cell-timeout=86400

check: .venv/all ## style, types, locks, and whether the committed notebooks are what their sources say
	$(BIN)/ruff check && $(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/bookweave check
	mkdir -p _build && cp requirements.txt _build/site.txt && cp requirements/all.txt _build/all.txt
	$(LOCK) $(GROUPS) --output-file _build/all.txt && diff requirements/all.txt _build/all.txt
	$(LOCK) --group site --constraints requirements/all.txt --output-file _build/site.txt && diff requirements.txt _build/site.txt

lock: $(FETCHED) ## write requirements.txt and requirements/all.txt from pyproject.toml
	$(LOCK) $(GROUPS) --output-file requirements/all.txt
	$(LOCK) --group site --constraints requirements/all.txt --output-file requirements.txt

clean: ## remove everything that make made, but no notebook
	rm -rf .venv .uv _build _site

.venv/site: requirements.txt pyproject.toml | .venv/pyvenv.cfg
	$(INSTALL) --require-hashes --requirements requirements.txt
	$(INSTALL) --editable .
	@touch $@

.venv/all: requirements/all.txt .venv/site
	$(INSTALL) --require-hashes --requirements requirements/all.txt
	@touch $@

.venv/pyvenv.cfg: | $(FETCHED)
	$(UV) venv --quiet --python "$(PYTHON)" .venv

.uv/bin/uv:
	python3 -m venv .uv && .uv/bin/pip install --quiet uv
