# `make run` starts the lab, `make test` tests it; everything else is listed by `make help`.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-bench
RAY := .venv-ray
BIN := $(VENV)/bin
LOCKS := .ci/locks
API := engine/api
# The locks name all packages, dependencies included, so pip needs to resolve none.
INSTALL := $(BIN)/python -m pip install --quiet --no-deps --require-hashes
export MALLOC_MMAP_THRESHOLD_ := 33554432
export MALLOC_TRIM_THRESHOLD_ := 268435456

.DEFAULT_GOAL := help
.PHONY: help run test foreign check format audit lock bench torture ray browser docs clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/.ready $(VENV)/.api  ## install the lab, then open it in the browser
	$(BIN)/streamlit run app/main.py

test: $(VENV)/.ready-dev  ## all tests except the long ones, then those in a browser
	$(BIN)/python -m pytest -n 2 --dist loadfile $(TEST_OPTIONS)
	$(BIN)/python -m pytest -m browser $(TEST_OPTIONS)

# A machine that rounds differently: torch without vector instructions, all else native.
FOREIGN := METASCOPE_ARITHMETIC=native ATEN_CPU_CAPABILITY=default
FOREIGN_TESTS := tests/golden tests/app/client/test_recorded_examples.py tests/mosaic \
  tests/nets tests/estimators tests/algorithms tests/learners \
  tests/tasks/search/test_net_growth.py tests/tasks/search/test_padded_mlp.py
foreign: $(VENV)/.ready-dev  ## tests that must pass on machines with other arithmetic
	$(FOREIGN) $(BIN)/python -m pytest -n 2 --dist loadfile $(FOREIGN_TESTS)

check: $(VENV)/.ready-dev  ## format, lint, import contracts, types, security
	$(BIN)/python .ci/lock.py
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	PYTHONPATH=$(API) $(BIN)/lint-imports
	$(BIN)/mypy --strict engine/contract engine/stats
	$(BIN)/bandit -q -c pyproject.toml -r app engine pages
	$(BIN)/python .ci/audit.py

format: $(VENV)/.ready-dev  ## fix format and lint automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: $(VENV)/.ready-dev  ## known vulnerabilities of the installed packages
	$(BIN)/python .ci/audit.py

lock: | $(VENV)/bin/python  ## pin requirements*.txt and all dependencies again
	$(BIN)/python -m pip install --quiet "$$(grep '^uv==' requirements-dev.txt)"
	$(BIN)/python .ci/lock.py write $(LOCK_OPTIONS)

bench: $(PEERS)/.ready  ## speed, as ratios to other libraries and to a loop
	$(PEERS)/bin/python -m tests.benchmarks.speed
	$(PEERS)/bin/python -m tests.benchmarks.few_shot_speed
	$(PEERS)/bin/python -m tests.benchmarks.compiled_steps

torture: $(VENV)/.ready-dev  ## fault injection at full counts; takes long
	$(BIN)/python -m pytest -m torture --timeout 0
	$(BIN)/python -m tests.torture

ray: $(RAY)/.ready  ## tests on a Ray cluster of several nodes on this machine
	$(RAY)/bin/python -m pytest tests/executors/test_ray.py $(TEST_OPTIONS)

docs: $(VENV)/.ready-dev  ## pages of the Python API, in out/docs
	PYTHONPATH=$(API) $(BIN)/pdoc --docformat google --output-directory out/docs \
	  metascope metascope.parts metascope.frozen metascope.learned_optimizer \
	  metascope.frozen_net metascope.search_strategy

browser: $(VENV)/.ready-dev  ## the tests in a browser
	$(BIN)/python -m pytest -m browser

clean:  ## remove the environment and every cache; runs are kept
	rm -rf $(VENV) $(PEERS) $(RAY) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

# A build of torch in a PIP_FIND_LINKS folder is preferred to the one on the index, which
# needs Nvidia's libraries on Linux; a CPU build does not.
$(VENV)/.ready: requirements.txt $(wildcard $(LOCKS)/*.lock) | $(VENV)/bin/python
	$(BIN)/python .ci/lock.py
	$(INSTALL) -r $(LOCKS)/requirements.lock
	$(INSTALL) -r $(LOCKS)/torch.lock --no-index 2>/dev/null || $(INSTALL) -r $(LOCKS)/torch.lock
	if $(BIN)/python -m pip check | grep '^torch .* requires' >/dev/null; then \
	  $(INSTALL) -r $(LOCKS)/cuda.lock; fi
	$(BIN)/python -m pip check
	@touch $@

# The Python API stays in its folder; a line in the environment makes it importable.
$(VENV)/.api: .ci/api_path.py $(VENV)/.ready
	$(BIN)/python $<
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	$(BIN)/python .ci/lock.py
	$(INSTALL) -r $(LOCKS)/requirements-dev.lock
	$(BIN)/python -m pip check
	@touch $@

# Other libraries for comparison, in an environment of their own. One that cannot be
# installed is skipped, and the benchmark reports it.
$(PEERS)/.ready: tests/benchmarks/requirements.txt $(VENV)/.ready-dev
	$(BIN)/python -m venv $(PEERS)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(PEERS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lab.pth"
	sed -n 's/^\([a-z][^#]*\)$$/\1/p' $< | while read -r peer; do \
	  $(PEERS)/bin/python -m pip install --quiet --no-deps "$$peer" || true; done
	@touch $@

# Ray, in an environment of its own that sees all packages of the lab's.
$(RAY)/.ready: requirements-ray.txt $(VENV)/.ready-dev
	$(BIN)/python -m venv $(RAY)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(RAY)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lab.pth"
	$(RAY)/bin/python -m pip install --quiet -r $<
	@touch $@
