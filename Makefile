# `make help` lists the commands. The first of them that needs it makes .venv and installs everything there.

PORT ?= 8000

READY := .venv/.ready
VENV_PYTHON := .venv/bin/python

# Sums, and with them figures, depend on the number of threads.
export OMP_NUM_THREADS := 1
export PYTHONHASHSEED := 0
# Nothing of the user's own Jupyter, IPython, Matplotlib or Python set-up reaches the outputs.
export JUPYTER_PREFER_ENV_PATH := 1
export IPYTHONDIR := $(CURDIR)/.venv/ipython
export MATPLOTLIBRC := /dev/null
unexport JUPYTER_PATH MPLBACKEND PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONWARNINGS

.PHONY: help
help:
	@echo 'make book       build the site in _build/html'
	@echo 'make labs       write the question and the solution of the lab, each also in print, to _build/labs'
	@echo 'make notebooks  write the chapters as notebooks, with their outputs, to _build/notebooks'
	@echo 'make test       run the tests'
	@echo 'make lint       check style and types of the code'
	@echo 'make slow       run the long checks: repeat the builds, break the code in a thousand places'
	@echo 'make reference  run all chapters and rewrite their references in tests/reference'
	@echo 'make bench      measure what the network costs, beside other ways (a minute)'
	@echo 'make serve      build the site and serve it on this machine (another port: make serve PORT=8001)'
	@echo 'make clean      remove what the other commands made'

# One of the files that are written together.
LABS := _build/labs/lab-solution.pdf

$(LABS): $(READY) book/lab.md $(shell find code -name '*.py' -o -name '*.lua' -o -name '*.typ')
	$(VENV_PYTHON) -m labs make book/lab.md --out $(@D)

.PHONY: book
book: $(LABS)
# The cache of executed chapters knows their cells, but not the packages that the cells import, nor the file that they read.
	@mkdir -p _build
	@find code book/static/bench.json -type f ! -path '*/__pycache__/*' ! -path '*.egg-info/*' -exec cksum {} + | sort > _build/code.new
	@cmp -s _build/code.new _build/code || rm -rf _build/.jupyter_cache
	@mv _build/code.new _build/code
# Pages are always made anew. Kept ones lose the warnings of an earlier build, and outlive their chapter.
	@rm -rf _build/html _build/.doctrees
# A warning of Python fails the build, as one of Sphinx does.
	$(VENV_PYTHON) -W error::UserWarning -W error::RuntimeWarning -W error::FutureWarning \
		.venv/bin/jupyter-book build . -W -n --keep-going
	@echo
	@echo 'The book is built. Open it in a browser:'
	@echo '$(CURDIR)/_build/html/index.html'

.PHONY: labs
labs: $(LABS)
	@echo
	@echo 'The question and the solution of the lab are in $(CURDIR)/_build/labs'

.PHONY: notebooks
notebooks: book
	@rm -rf _build/notebooks
	@cp -R _build/html/notebooks _build/notebooks
	@echo
	@echo 'The notebooks are in $(CURDIR)/_build/notebooks'

.PHONY: test
test: $(READY)
# Each file by one of two processes: the cells of a chapter need those before them.
	$(VENV_PYTHON) -m pytest --nbval -m 'not slow' --numprocesses 2 --dist loadfile
	@echo
	@echo 'All tests passed.'

.PHONY: lint
lint: $(READY)
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m ruff format --check
	$(VENV_PYTHON) -m mypy

.PHONY: slow
slow: $(READY)
	$(VENV_PYTHON) -m pytest -m slow -s

.PHONY: reference
reference: $(READY)
	$(VENV_PYTHON) tests/make_reference.py

.PHONY: bench
bench: $(READY)
	$(VENV_PYTHON) -m bench
	@echo
	@echo 'The result is in $(CURDIR)/_build/bench.json'

.PHONY: serve
serve: book
	@echo 'Serving http://localhost:$(PORT)/ (stop with Ctrl-C)'
	@$(VENV_PYTHON) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

.PHONY: clean
clean:
	rm -rf _build build .venv .pytest_cache .ruff_cache .hypothesis code/*.egg-info
	find code tests book -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt constraints.txt pyproject.toml
	@rm -f $@
	$(VENV_PYTHON) -m pip install --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(VENV_PYTHON) -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p .venv/ipython/profile_default
# Else every kernel warns that it listens on this machine without encryption.
	@echo 'c.IPKernelApp.log_level = "CRITICAL"' > .venv/ipython/profile_default/ipython_kernel_config.py
# Else the first chapter to draw says that it makes this cache.
	@$(VENV_PYTHON) -c 'import matplotlib.font_manager'
# What other versions put out is not what this environment would.
	@rm -rf _build/.jupyter_cache
	@pwd -P > $@

# A .venv whose installation was cut short is not to be trusted, nor one that was made elsewhere: it runs the code there.
ifneq "$(shell $(VENV_PYTHON) -V > /dev/null 2>&1 && cat $(READY) 2> /dev/null)" "$(shell pwd -P)"
$(READY): new_venv
endif

.PHONY: new_venv
new_venv:
	@echo 'Making .venv: it is missing, incomplete or of another place. This takes some minutes.'
	@rm -rf .venv
	@for python in $(or $(PYTHON),python3.11 python3); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec "$$python" -m venv .venv; \
		fi; \
	done; \
	echo 'Python 3.11 or newer is needed; say where it is with PYTHON=..., such as make book PYTHON=python3.13' >&2; \
	exit 1
