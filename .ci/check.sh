#!/bin/sh
# Django's own checks: the settings as in production, and no migration forgotten.
set -eu
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
SECRET_KEY=$("$python" -c 'import secrets; print(secrets.token_urlsafe(50))')
AUDIT_KEY=$("$python" -c 'import secrets; print(secrets.token_urlsafe(50))')
ALLOWED_HOSTS=clinic.example
DATABASE_URL=sqlite://:memory:
export SECRET_KEY AUDIT_KEY ALLOWED_HOSTS DATABASE_URL
unset CANVAS_ADMIN_DEMO INSECURE_HTTP DJANGO_SETTINGS_MODULE || true
set -x
"$python" manage.py check --deploy --fail-level WARNING
"$python" manage.py makemigrations --check --dry-run
