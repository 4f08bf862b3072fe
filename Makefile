## Canvas Admin. The commands:
##   make demo         a demo clinic on this machine: http://127.0.0.1:8000/ (PORT=8010)
##   make demo-reset   the same, from nothing: what was changed in the demo is lost
##   make test         every test, on SQLite and (of many cases some) on PostgreSQL
##   make lint         how the code is laid out and written
##   make check        lint, the settings for production, no migration forgotten
##   make install      the locked packages, as a clinic needs them (docs/operate.md)
##   make proof        the large counts; goes on where it was stopped (AGAIN=1: all anew)
##   make bench        what the site costs, on both databases (SIZE=1000000 patients)
##   make lock         the locked packages, renewed from pyproject.toml
## PYTHON=python3.12 names another Python, VENV=folder another virtual environment.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
SIZE ?= 1000000
UV_VERSION = 0.13.9
export PYTHON VENV

python = $(VENV)/bin/python
# Nothing that the shell has set for another project reaches the demo clinic.
demo = env -u ALLOWED_HOSTS -u CLINIC_NAME -u CLINIC_TIME_ZONE -u EMAIL_URL \
	-u EMAIL_FROM -u TRUSTED_PROXIES -u AUDIT_YEARS -u DATABASE_URL -u DJANGO_SETTINGS_MODULE \
	-u ELIGIBILITY_PAYER -u ELIGIBILITY_TIMEOUT -u PAPER_SIZE -u PROCRASTINATE \
	CANVAS_ADMIN_DEMO=1 \
	$(python) manage.py demo --port '$(PORT)'
# The workflow kit needs one package that comes as source alone.
binaries = --only-binary :all: --no-binary memoization
compile = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes $(binaries) --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links --upgrade

.PHONY: help install demo demo-reset test lint check proof bench lock ready-for-test

help:
	@sed -n 's/^## //p' Makefile

install:
	@sh .ci/setup.sh install

ready-for-test:
	@sh .ci/setup.sh test

demo: install
	@$(demo)

demo-reset: install
	@$(demo) --reset

test: ready-for-test
	@$(python) .ci/tests.py

lint: ready-for-test
	$(python) -m ruff format --check .
	$(python) -m ruff check .

check: lint
	sh .ci/check.sh

proof: ready-for-test
	@failed=0; \
	$(python) .ci/proof.py $(if $(AGAIN),--again) || failed=1; \
	$(python) .ci/guards.py $(if $(AGAIN),--again) || failed=1; \
	exit $$failed

bench: ready-for-test
	@$(python) .ci/bench.py --size $(SIZE)

lock: ready-for-test
	$(python) -m pip install --quiet uv==$(UV_VERSION)
	$(compile) pyproject.toml --output-file requirements.txt
	$(compile) --group pyproject.toml:test --constraint requirements.txt \
		--output-file .ci/requirements-test.txt
