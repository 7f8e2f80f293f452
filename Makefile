# Every command a human types; CI calls the same ones.
.DEFAULT_GOAL := help
.PHONY: help install page up demo test chaos lint format lock bench screenshots clean

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(STAMP) page ## Install everything into .venv, from the hashed requirements.lock, and build the page

$(STAMP): requirements.lock pyproject.toml tools/install
	@tools/install "$(PYTHON)"

page: $(STAMP) ## Build the page from web/ where it has changed
	@tools/build_page

up: install ## Start biblio on this machine; Ctrl-C stops it (PORT=, DATA=)
	@$(BIN)/biblio up $(if $(PORT),--port $(PORT)) $(if $(DATA),--data "$(DATA)")

demo: install ## Show the whole road once: start, add a talk, search it in Korean and English, stop
	@$(BIN)/biblio demo

# Whole files go to one process or the other, each with engines of its own: half of the time tests wait. Their many threads
# would each keep memory of its own.
test: install ## Run the whole suite on real engines, two files at a time (ARGS=…)
	@MALLOC_ARENA_MAX=2 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: install ## Kill everything at random while videos are processed, and count what is lost (RUNS=200, SEED=, NIGHT=1)
	@$(BIN)/python -m tests.chaos.storm $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED)) $(if $(NIGHT),--night) $(ARGS)

lint: install ## Check style, types and the import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

format: install ## Put the code in shape
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

lock: install ## Pin every dependency again, with hashes
	@$(BIN)/uv pip compile --universal --generate-hashes --no-header --quiet --upgrade --python-version 3.11 \
		pyproject.toml --group dev --all-extras --output-file requirements.lock

bench: install ## Measure the pipeline's overhead beside a bare script (MINUTES=10, ROUNDS=5)
	@$(BIN)/python bench/ingest_overhead.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(ROUNDS),--rounds $(ROUNDS))

screenshots: install ## Take a picture of every page and state into docs/pictures/ (needs chromium, ffmpeg, a Korean font)
	@$(BIN)/python tools/screenshots

clean: ## Remove what was installed and built here; libraries (data folders) stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist web/node_modules src/biblio/entrypoints/api/page
