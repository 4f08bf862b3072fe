"""Sessions in the database, and what a cookie may ask of it."""

import re

from django.contrib.sessions.backends import db

# What Django makes: 32 lower-case letters and digits.
_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """Django's, for keys that it could have made; any other cookie is nobody's.

    Cookies may carry characters that PostgreSQL refuses even to compare.
    """

    def __init__(self, session_key: str | None = None) -> None:
        is_key = session_key is not None and _KEY.fullmatch(session_key)
        super().__init__(session_key if is_key else None)
