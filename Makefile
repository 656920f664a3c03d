# `make demo` and `make test` need nothing but make and a Python that TensorFlow has wheels for.
.DEFAULT_GOAL := help
.PHONY: help install demo test coverage lower-bounds pre-releases backends backend-jax backend-torch jax-devices model-files lint pyright \
	campaigns campaigns-short campaign-model-files campaign-audio campaign-ffmpeg campaign-phone-formats campaign-killed-fits campaign-long-run \
	detection pretrained card mutations distributions constraints audit-dependencies docs docs-test notebook benchmarks nightly clean

VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

# The first of these that runs and is of a supported version; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(SUPPORTED)' >/dev/null 2>&1 && echo $$python && break; done)

CORPUS ?=
GROUP ?=
WHERE ?=
HUMAN ?=

# The newest versions, or those of a file: make install CONSTRAINTS=constraints.txt
CONSTRAINTS ?=

help:
	@echo "make demo   set up, and train, evaluate, save, load and use a detector of simulated voices"
	@echo "            CORPUS=folder-or-csv [GROUP=speaker] [WHERE=column=value] [HUMAN=label]: of your recordings"
	@echo "make test   set up, and run the test suite"
	@echo "make coverage   the same, with the lines that no test runs"
	@echo "make lower-bounds   run part of it with the oldest versions of the dependencies"
	@echo "make pre-releases   run the tests with pre-releases of the dependencies"
	@echo "make backends   run the tests of network and classifier under JAX and torch as well"
	@echo "make lint   format, lint, spelling, type checks, and checks of the workflows"
	@echo "make docs   run the examples, and build the documentation into docs/_build/html"
	@echo "make docs-test  build it, and test its links, its notebook, and its pages in a browser"
	@echo "make notebook   write examples/first_steps.ipynb anew, from examples/plot_first_steps.py"
	@echo "make benchmarks   print the tables of docs/performance.rst"
	@echo "make detection    error rates on sources and systems that training has not heard, in a night"
	@echo "make pretrained   fit the packaged detector on the corpus, and measure it, in two hours; make card measures it again"
	@echo "make campaigns    read hostile files by the ten thousand, kill fits, fit for hours, see docs/trust.rst"
	@echo "make campaigns-short   the same in two minutes"
	@echo "make mutations    change the arithmetic one place at a time, and see that tests notice, for two hours"
	@echo "make distributions     wheel and sdist into dist, built twice and compared"
	@echo "make constraints       write the versions of constraints.txt anew"
	@echo "make audit-dependencies   ask whether vulnerabilities of the dependencies are known"
	@echo "make nightly      what takes too long for every change"

$(VENV)/.installed: pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "voicelstm needs Python 3.11, 3.12 or 3.13, which TensorFlow has wheels for; none was found." >&2; \
		echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@$(PYTHON) -c '$(SUPPORTED)' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(if $(CONSTRAINTS),--constraints "$(CONSTRAINTS)") \
		--editable ".[plot,onnx]" --group dev --group docs --group lint
	@touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/python examples/demo.py \
		$(if $(CORPUS),--corpus "$(CORPUS)") $(if $(GROUP),--group "$(GROUP)") $(if $(WHERE),--where "$(WHERE)") \
		$(if $(HUMAN),--human "$(HUMAN)")

# Of two processes, each begins with one half of the tests, and takes of the other's when it has done its own.
TWO_PROCESSES := --numprocesses=2 --dist=worksteal

test: install
	$(BIN)/python -m pytest $(TWO_PROCESSES)

# A quarter slower.
coverage: install
	$(BIN)/python -m pytest $(TWO_PROCESSES) --cov --cov-report=term

# The oldest versions that pyproject.toml allows of what the library needs, in an environment of their own.
LOWER_BOUNDS := $(VENV)/lower-bounds
# What each of them could break, in two minutes; empty, it is the whole suite, as in `make nightly`.
LOWER_BOUNDS_TESTS ?= tests/test_package.py tests/test_compat.py tests/display tests/metrics \
	tests/detector/test_pinned_answers.py \
	$(patsubst %,tests/audio/test_%.py,level reading) tests/command/test_detect.py \
	$(patsubst %,tests/datasets/test_%.py,files folder labels problems splitters table) \
	$(patsubst %,tests/features/test_%.py,backends cepstra transformer) \
	$(patsubst %,tests/model_files/test_%.py,container descriptions earlier_versions params persistence)

$(LOWER_BOUNDS)/.installed: $(VENV)/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWER_BOUNDS)
	$(BIN)/uv pip compile --quiet --resolution=lowest-direct --extra=plot --extra=onnx --python=$(BIN)/python pyproject.toml \
		--output-file=$(LOWER_BOUNDS)/versions.txt
	$(BIN)/uv pip install --quiet --python=$(LOWER_BOUNDS)/bin/python --constraint=$(LOWER_BOUNDS)/versions.txt \
		--editable ".[plot,onnx]" --group dev
	@touch $@

# Old versions warn of what the newest of their own dependencies deprecate, matplotlib 3.9 of pyparsing's.
lower-bounds: $(LOWER_BOUNDS)/.installed
	$(LOWER_BOUNDS)/bin/python -m pytest $(TWO_PROCESSES) $(LOWER_BOUNDS_TESTS) \
		--deselect tests/test_package.py::test_every_module_imports_without_a_warning

# The newest versions, alphas and candidates among them, in an environment of their own that is made anew each time:
# a private name that is gone (see _compat.py) fails here before it reaches a user. Which tests: all, as by night.
PRE_RELEASES := $(VENV)/pre-releases
PRE_RELEASES_TESTS ?=

pre-releases: $(VENV)/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(PRE_RELEASES)
	$(BIN)/uv pip install --quiet --upgrade --prerelease=allow --python=$(PRE_RELEASES)/bin/python \
		--editable ".[plot,onnx]" --group dev
	$(BIN)/uv pip freeze --python=$(PRE_RELEASES)/bin/python > $(PRE_RELEASES)/versions.txt
	$(PRE_RELEASES)/bin/python -m pytest $(TWO_PROCESSES) $(PRE_RELEASES_TESTS)

# An exact version of torch, since its newest comes with gigabytes of CUDA wherever no other is asked for.
$(VENV)/.backends: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet "jax>=0.10" "torch==2.13.0"
	@touch $@

backends: $(VENV)/.backends
	$(MAKE) --jobs=2 --output-sync=target backend-jax backend-torch jax-devices model-files

# What is marked so; of them all, the suite's tests of networks and what holds them, as in `make nightly`.
BACKEND_TESTS ?= -m every_backend tests/network tests/classifier tests/detector/test_pinned_answers.py

# JAX computes in double precision only where that is asked for.
backend-jax: $(VENV)/.backends
	KERAS_BACKEND=jax JAX_ENABLE_X64=1 $(BIN)/python -m pytest $(BACKEND_TESTS)

jax-devices: $(VENV)/.backends
	KERAS_BACKEND=jax $(BIN)/python -m pytest tests/network/test_devices_jax.py

model-files: $(VENV)/.backends
	$(BIN)/python -m pytest tests/test_backends.py

backend-torch: $(VENV)/.backends
	KERAS_BACKEND=torch $(BIN)/python -m pytest $(BACKEND_TESTS)

CITATION := $(VENV)/citation
ISSUE_FORMS := $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))

$(CITATION)/.installed: $(VENV)/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(CITATION)
	$(BIN)/uv pip install --quiet --python=$(CITATION)/bin/python --group citation
	@touch $@

lint: $(CITATION)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/typing/mypy.ini --follow-imports=silent tests/typing/user_code.py
	$(BIN)/python -m pytest --quiet tests/test_compat.py -k private_name
	git ls-files -z | xargs -0 $(BIN)/codespell
	$(BIN)/shellcheck .ci/run .ci/check-distributions
	$(BIN)/jactionlint --shellcheck=$(BIN)/shellcheck
	$(BIN)/zizmor --offline --quiet .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(ISSUE_FORMS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.readthedocs .readthedocs.yaml
	$(CITATION)/bin/cffconvert --validate --infile CITATION.cff

# Not part of `lint`, since it fetches a program of its own where the machine has no Node.
pyright: install
	$(BIN)/pyright --pythonpath $(BIN)/python tests/typing/user_code.py

# docs/trust.rst has the results of these.
MODEL_FILES ?= --files 100000
AUDIO ?= --files 60000
FFMPEG ?= --files 50000
KILLED_FITS ?= --trials 20
LONG_RUN ?= --fits 50 --rounds 11 --predictions 500
LIVE ?=

campaigns: campaign-model-files campaign-audio campaign-ffmpeg campaign-phone-formats campaign-killed-fits campaign-long-run \
		campaign-live
	$(BIN)/python -m pytest tests/test_hostile_model_files.py --hypothesis-profile=campaign

campaigns-short: install
	$(MAKE) --jobs=2 --output-sync=target campaign-killed-fits campaign-long-run campaign-audio campaign-ffmpeg campaign-phone-formats \
		campaign-live campaign-model-files LIVE="--streams 6 --seconds 120 --hop 4" MODEL_FILES="--files 1500" AUDIO="--files 800" FFMPEG="--files 800" KILLED_FITS="--trials 2 --seed 3" \
		LONG_RUN="--fits 9 --rounds 2 --predictions 18"

campaign-model-files: install
	$(BIN)/python campaigns/model_files.py $(MODEL_FILES)

campaign-audio: install
	$(BIN)/python campaigns/audio.py $(AUDIO)

# The files that soundfile does not read.
campaign-ffmpeg: install
	$(BIN)/python campaigns/audio.py --only FFmpeg- $(FFMPEG)

# Skipped where neither ffmpeg nor sox is installed.
campaign-phone-formats: install
	$(BIN)/python campaigns/phone_formats.py

campaign-killed-fits: install
	$(BIN)/python campaigns/killed_fits.py $(KILLED_FITS)

campaign-long-run: install
	$(BIN)/python campaigns/long_run.py $(LONG_RUN)

campaign-live: install
	$(BIN)/python campaigns/live_streams.py $(LIVE)

# For a quick look: make detection DETECTION=--quick
DETECTION ?=

$(VENV)/.benchmarks: $(VENV)/.installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group benchmarks
	@touch $@

detection: $(VENV)/.benchmarks
	$(BIN)/python benchmarks/detection.py $(DETECTION)

# With a folder to keep features and folds in: make card PRETRAINED="--cache FOLDER"
PRETRAINED ?=

pretrained: $(VENV)/.benchmarks
	$(BIN)/python benchmarks/pretrained.py $(PRETRAINED)

card: $(VENV)/.benchmarks
	$(BIN)/python benchmarks/pretrained.py --check $(PRETRAINED)

# Some of them: make mutations MUTATIONS="--only metrics,sequences/_segments.py"
MUTATIONS ?=

$(VENV)/.mutations: $(VENV)/.installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group mutations
	@touch $@

mutations: $(VENV)/.mutations
	$(BIN)/python -m pytest -q tests/test_mutations.py
	$(BIN)/python campaigns/mutations.py $(MUTATIONS)

# Built twice, in folders of other names, times and rights, and of the wheels one from the sdist, the other from
# the tree: they must be equal to the byte.
distributions: install
	rm -rf dist build/again
	$(BIN)/python -m build --outdir dist .
	umask 077 && git clone --quiet . build/again/tree
	$(BIN)/python -m build --sdist --wheel --outdir build/again/dist build/again/tree
	for file in dist/*; do cmp $$file build/again/$$file || exit 1; done
	$(BIN)/python -m pip hash dist/*

# The versions of one day, for each supported Python and system. A lock file would keep the address of the index too.
constraints: install
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version=3.11 --extra=plot --extra=onnx \
		$(patsubst %,--group=%,dev docs lint benchmarks mutations) --no-annotate pyproject.toml \
		--custom-compile-command="make constraints" --output-file=constraints.txt

# Of what an installation takes today, and of the oldest versions. What cannot be asked about is an error.
audit-dependencies: install
	for resolution in highest lowest-direct; do \
		$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --extra=plot --extra=onnx --resolution=$$resolution \
			--python=$(BIN)/python pyproject.toml --output-file=$(VENV)/$$resolution.txt && \
		$(BIN)/uv tool run pip-audit --strict --disable-pip --requirement $(VENV)/$$resolution.txt || exit 1; done

docs: install
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

docs-test: docs
	$(BIN)/python -m pytest docs/tests

notebook: install
	$(BIN)/python docs/notebook.py

benchmarks: install
	$(BIN)/python benchmarks/answer.py
	$(BIN)/python benchmarks/answer_network.py
	$(BIN)/python benchmarks/onnx_export.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/frontend.py
	$(BIN)/python benchmarks/augmentation.py
	$(BIN)/python benchmarks/network.py
	$(BIN)/python benchmarks/shapes.py
	$(BIN)/python benchmarks/estimator.py
	$(BIN)/python benchmarks/digits.py

nightly: install
	$(BIN)/python benchmarks/hundred_thousand.py
	$(BIN)/python benchmarks/larger_than_memory.py
	$(BIN)/python benchmarks/corpora.py
	$(BIN)/python benchmarks/scikit_learn_checks.py
	$(BIN)/python benchmarks/recipe_equality.py
	$(MAKE) detection
	$(MAKE) benchmarks
	$(MAKE) campaigns
	$(MAKE) mutations
	$(BIN)/python -m pytest -m nightly
	$(MAKE) backends BACKEND_TESTS="tests/network tests/classifier tests/model_files/test_persistence.py tests/detector/test_pinned_answers.py"
	$(MAKE) coverage
	$(MAKE) lower-bounds LOWER_BOUNDS_TESTS=
	$(LOWER_BOUNDS)/bin/python campaigns/audio.py --files 1500
	$(LOWER_BOUNDS)/bin/python campaigns/model_files.py --files 1500
	$(MAKE) distributions
	$(MAKE) audit-dependencies
	$(MAKE) pre-releases

clean:
	rm -rf $(VENV) build dist docs/_build docs/auto_examples docs/generated .coverage .mypy_cache .pytest_cache .ruff_cache
