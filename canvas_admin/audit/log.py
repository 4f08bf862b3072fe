"""How a log line looks: JSON, one line, escaped, without query strings or bodies."""

import logging

import structlog


def formatter() -> logging.Formatter:
    """The formatter of every handler; escapes line breaks, so a line cannot be forged."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
    )
