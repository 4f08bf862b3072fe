"""What the tests of protocols have in common."""

from django.conf import settings

# Where Procrastinate is: `make test` has it on PostgreSQL, which it needs.
collect_ignore = [] if settings.PROCRASTINATE else ["test_jobs.py"]
