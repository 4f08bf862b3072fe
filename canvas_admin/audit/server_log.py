"""The server's own log, without what people typed (DESIGN section 4).

gunicorn logs the whole address of a request that it cannot answer.
"""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger

_QUERY = re.compile(r"\?\S*")


class WithoutQueries(logging.Filter):
    """Cuts query strings out of every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
        return True


class ServerLog(Logger):
    """gunicorn's log for `--logger-class`, its lines cut."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.addFilter(WithoutQueries())
