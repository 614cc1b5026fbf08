# make demo    the main job on the bundled photos; installs the runtime only
# make test    everything that must pass before a change is done
# make prove   the long proofs: fuzzing, bare Debian systems, ...
# make docs    the documentation as a site, in build/site
# make dist    what a release consists of, in dist: sdist, wheel, Android library and app, models,
#              changes, checksums, and FILES=app.apk, which were built elsewhere
# make shell   a shell in which `fer-mobile` and `python` are those of .venv
# make clean   removes what the other targets made

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# The shared data, where a checkout of it lies beside this one.
ifneq ($(wildcard ../shared/data),)
export FER_MOBILE_DATA ?= $(abspath ../shared/data)
endif

# A process a core, and one more while others wait, takes one file of tests after the other, in the
# order of tests/conftest.py.
PROCESSES := $(shell cores=$$(nproc 2>/dev/null || echo 2); echo $$((cores < 4 ? cores + 1 : 4)))
PARALLEL := -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: demo test prove docs dist shell clean
.DELETE_ON_ERROR:

demo: $(VENV)/runtime.stamp
	$(BIN)/fer-mobile demo

# mypy, which needs a minute and one core, runs beside the tests.
test: $(VENV)/test.stamp $(VENV)/chromium.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy & types=$$!; $(BIN)/pytest $(PARALLEL); tests=$$?; wait $$types && exit $$tests

prove: $(VENV)/prove.stamp $(VENV)/chromium.stamp
	RECORD_PROOFS=1 $(BIN)/pytest -m prove

docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

dist: $(VENV)/test.stamp
	$(BIN)/python -m tools.make_dist $(FILES)

shell: $(VENV)/runtime.stamp
	@VIRTUAL_ENV=$(abspath $(VENV)) PATH="$(abspath $(BIN)):$$PATH" $${SHELL:-sh}

clean:
	rm -rf $(VENV) build dist demo-report .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find fer_mobile tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet -c constraints.txt -e '.[heic]'
	touch $@

$(VENV)/docs.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet -c constraints.txt -e '.[docs]'
	touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet -c constraints.txt -e '.[export,onnx,test]'
	touch $@

$(VENV)/prove.stamp: $(VENV)/test.stamp
	$(BIN)/pip install --quiet -c constraints.txt -e '.[ray,jax,teacher]'
	touch $@

$(VENV)/chromium.stamp: tests/install_chromium.sh | $(BIN)/python
	bash tests/install_chromium.sh
	touch $@
