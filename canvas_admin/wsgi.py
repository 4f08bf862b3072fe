"""The WSGI application that the production server loads."""

import gc
import os

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "canvas_admin.settings")
django.setup(set_prefix=False)


class Utf8Request(WSGIRequest):
    """A request that is read as UTF-8, whatever charset it names.

    Django would decode addresses and forms with that charset, and there are codecs that
    are none for text, and some that let characters through which no database takes.
    """

    encoding = property(lambda self: None, lambda self, named: None)


class Handler(WSGIHandler):
    """Django's handler, which reads UTF-8 alone."""

    request_class = Utf8Request


application = Handler()
# The garbage collector stops a request: seldom, and without going through what stays as
# long as the process, the addresses and all behind them.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 50, 50)
