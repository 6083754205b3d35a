# `make` sets up a private environment in .venv and measures; `make help` lists the rest. Works with GNU make 3.81.

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=

# Programs in .venv/bin name their interpreter by its absolute path; `python -m` still works when the clone has moved.
# The shell's own name of this folder: make's would be read by the shell once more, quotes and all.
enter = PATH="$$PWD/.venv/bin:$$PATH"; export PATH; unset PYTHONPATH PYTHONHOME

# $(1): targets and configuration. Each command takes its shell's place: SIGTERM to make reaches it, and not a shell alone.
pipeline = @$(enter); exec python workflow/scripts/run.py --cores all $(1) $(ARGS)

# Where the account has no folder for caches that it could write to, uv and pip do without.
define caches
cache="$${XDG_CACHE_HOME:-$$HOME/.cache}"; { mkdir -p "$$cache" && [ -w "$$cache" ]; } 2>/dev/null || \
{ UV_NO_CACHE=1; PIP_NO_CACHE_DIR=1; export UV_NO_CACHE PIP_NO_CACHE_DIR; }
endef

.PHONY: run quick report bundle compare test mutants lint benchmark setup clean help
.DEFAULT_GOAL := run
# Whatever -j says: targets work on the same results, one after the other.
.NOTPARALLEL:

run: setup  ## set up, then measure the default sweep and write the report (default)
	$(call pipeline)

quick: setup  ## a first look in little more than a minute: few blocks, a provisional report
	$(call pipeline,--configfile config/presets/quick.yaml)

report: setup  ## write the report again from what has been measured
	$(call pipeline,--config only_existing=true)

bundle: setup  ## what has been measured as one file to share, results/<machine>.zip
	$(call pipeline,bundle)

compare: setup  ## results/comparison.html: this machine beside the reference bundles and all in results/
	$(call pipeline,compare)

test: lint  ## set up, then all linters and tests
	@$(enter); exec python -m pytest -n 3 --dist loadfile $(PYTEST_ARGS)

mutants: setup  ## break the package a line at a time: the tests have to notice each; an hour (ARGS="analysis -n 4")
	@$(enter); exec python tests/mutants.py $(ARGS)

lint: setup  ## ruff, mypy, snakefmt and snakemake --lint
	@$(enter); exec python -m ruff check .
	@$(enter); exec python -m ruff format --check .
	@$(enter); exec python -m mypy
	@$(enter); exec python -m snakefmt --check Snakefile workflow/rules
	@$(enter); exec python -m snakemake --lint

benchmark: setup  ## what the method was chosen by; about an hour, on a machine with nothing else to do
	@$(enter); exec python benchmarks/drift.py
	@$(enter); exec python benchmarks/overhead.py
	@$(enter); exec python benchmarks/pairing.py measure benchmarks/pairing.jsonl
	@$(enter); exec python benchmarks/pairing.py report benchmarks/pairing.jsonl

setup: .venv/complete  ## the environment in .venv, from requirements.lock (PYTHON=python3.12 chooses the interpreter)

# Made anew when the lock changes: pip alone would leave behind what the lock no longer names.
.venv/complete: requirements.lock
	@case "$$PWD" in *[:{}'$$']*) \
	echo "gilscope cannot run in a folder with a colon, a dollar or a brace in its name: $$PWD; rename it" >&2; exit 1; esac
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "gilscope needs Python 3.11 or newer, and $(PYTHON) is not; name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys, sysconfig; sys.exit(bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' || { \
	echo "gilscope's workflow needs a standard build of Python, and $(PYTHON) is a free-threaded one, for which its tools have" \
	"no wheels; name another one: make PYTHON=python3.12. The free-threaded one is measured all the same" >&2; exit 1; }
	@echo "gilscope: setting up the environment in .venv; this takes about a minute"
	@rm -rf .venv
	@$(caches); if command -v uv >/dev/null; then \
		uv venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv && \
		uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock; \
	else \
		{ $(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make environments:" \
		"install its venv package (Debian: python3-venv), or uv." >&2; exit 1; }; } && \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	fi
	@touch $@; if [ requirements.lock -nt $@ ]; then touch requirements.lock $@; fi

clean:  ## remove .venv, .runtimes, caches and Snakemake's records; never results/
	rm -rf .venv .runtimes .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find workflow tests -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo '  ARGS="..." is handed to snakemake, for example: make ARGS="--configfile config/presets/deck.yaml"'
