# `make quickstart` and `make test` do everything, environment included: uv if it is there, else venv and pip.

PYTHON := .venv/bin/python
# The first interpreter between 3.11 and 3.13 that runs, by its full path.
FIND_PYTHON = for python in $$PYTHON_FOR_VENV python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && \
	"$$python" -c 'import sys; print(sys.executable)' && break; done

.PHONY: quickstart test long fast check clean

quickstart: .venv/installed
	$(PYTHON) scripts/train.py --config configs/quickstart.py

test: .venv/installed
	$(PYTHON) -m pytest -n 3 --dist worksteal -m "not long"

long: .venv/installed
	$(PYTHON) -m pytest -n 3 --dist worksteal -m long

fast: .venv/installed
	$(PYTHON) -m pytest -n 2 --dist worksteal -m "not slow and not long"

check: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/ty check --python .venv jaxdistort scripts configs benchmarks tests

.venv/installed: pyproject.toml
	@set -e; python=$$($(FIND_PYTHON)) || true; \
	test -n "$$python" || { echo "error: no Python 3.11, 3.12 or 3.13 found; set PYTHON_FOR_VENV to one"; exit 1; }; \
	if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing --python "$$python" .venv; \
		uv pip install --quiet --python $(PYTHON) -e '.[train,dev,convert,tfds]'; \
	else \
		"$$python" -m venv .venv; \
		$(PYTHON) -m pip install --quiet --disable-pip-version-check -e '.[train,dev,convert,tfds]'; \
	fi
	@touch $@

clean:
	rm -rf .venv .cache build *.egg-info
