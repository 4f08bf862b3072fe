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
# What stays as long as the process, the addresses and all behind them, is not gone through
# by the garbage collector in the midst of a request.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
