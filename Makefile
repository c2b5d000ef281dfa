# `make book` and `make test` do all their own set-up; second runs reuse .venv.
PYTHON ?= python3
VENV := .venv/bin/python
# Where else to look for torch, such as PyTorch's own wheels for machines without a GPU (see the README).
TORCH_INDEX ?=
STAMP := .venv/.installed

.PHONY: help venv book slides pdf course test test-browser bench faults wheel clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1  /p' Makefile

$(STAMP): pyproject.toml requirements.lock
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; found: $$("$(PYTHON)" --version 2>&1). Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	[ -x $(VENV) ] || "$(PYTHON)" -m venv .venv
	$(VENV) -m pip install --quiet --disable-pip-version-check -c requirements.lock $(if $(TORCH_INDEX),--extra-index-url '$(TORCH_INDEX)') -e '.[test]'
	touch $(STAMP)

venv: $(STAMP) ## create .venv with the pinned packages

book: $(STAMP) ## run the notebooks at the classroom scale and build the book
	$(VENV) scripts/build_book.py

slides: $(STAMP) ## make the slides of a 45-minute lecture in _build/slides
	$(VENV) scripts/make_slides.py

pdf: $(STAMP) ## print the built book into _build/book.pdf (after make book; needs Chromium)
	$(VENV) scripts/make_pdf.py

course: $(STAMP) ## make student versions of the notebooks, without solutions, in _build/course
	$(VENV) scripts/make_course.py

test: $(STAMP) ## check style, run the tests and every notebook at smoke scale
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check --quiet .
	$(VENV) -m nbstripout --verify notebooks/*.ipynb
	OMP_NUM_THREADS=1 $(VENV) -m pytest -q -n auto --dist loadscope tests
	FMFP_RECORDS="$$(mktemp -d)" OMP_NUM_THREADS=1 $(VENV) -m pytest -q -n auto --dist loadscope --nbval-lax --nbval-current-env --nbval-cell-timeout 300 notebooks

# The apt call is Debian's and Ubuntu's; elsewhere install Chromium by hand, or name a browser in FMFP_CHROMIUM.
test-browser: $(STAMP) ## read the built book in headless Chromium (after make book)
	@[ -f "$${FMFP_BOOK:-_build/html}/index.html" ] || { echo "no book in _build/html: run make book first" >&2; exit 1; }
	@[ -n "$$FMFP_CHROMIUM" ] || command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo apt-get update && $$sudo apt-get install -y --no-install-recommends chromium; }
	$(VENV) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[browser]'
	OMP_NUM_THREADS=1 $(VENV) -m pytest -q -n auto tests/browser

bench: $(STAMP) ## measure the library beside plain references; keep the numbers in data/benchmarks.json
	$(VENV) -m fmfp_lib.cli bench --output data/benchmarks.json

faults: $(STAMP) ## inject every fault for real; keep the results in data/faults.json
	OMP_NUM_THREADS=1 $(VENV) scripts/faults.py

# pip packs whatever an earlier build left in build/.
wheel: $(STAMP) ## build the package, with its data, records and notebooks, in _build/wheel
	rm -rf build
	$(VENV) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w _build/wheel .
	rm -rf build

clean: ## remove what was built (the environment and the records stay)
	rm -rf _build
