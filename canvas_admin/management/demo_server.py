"""gunicorn's settings for the demo, beside those of its command line."""

import signal
from typing import Any


def post_worker_init(_worker: Any) -> None:
    """Let the worker hear of Ctrl-C by its master alone.

    The terminal tells both. A worker that is at its end already when the master tells it,
    too, may wait for itself (gunicorn 27.0), and the demo go on for half a minute.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
