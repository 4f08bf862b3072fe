"""The web of a run: the clinic's own token and FHIR addresses, and what else it may ask (P54).

What a protocol sends to the addresses that the workflow kit makes of INSTANCE_NAME is
answered in this process by the clinic's own views, as the protocol's application: its rights,
its reach, its trail. The secret and the token of a run are good for that run alone.
"""

import base64
import binascii
import json
import re
import secrets
import typing
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value

from canvas_admin.protocols.dry import undone_if
from staffing.models import Application

DOMAIN = "canvasmedical.com"
# Not what would make one clinic's FHIR address another's home.
INSTANCE = re.compile(r"(?!fumage-|fhir-)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
ADDRESS = re.compile(r"https://([a-z0-9.-]{1,253})(/[!-~]*)?")
READING, WRITING = {"GET", "HEAD"}, {"POST", "PUT"}
# What other hosts are asked besides.
ABROAD = {"PATCH", "DELETE"}
TOKEN = "/auth/token/"  # noqa: S105
# Longer than any run.
GOOD_FOR = timedelta(minutes=1)

Message = dict[str, Any]


class Writes(typing.Protocol):
    """What remembers the writes of a run, over all times that it is tried."""

    def once(
        self, request: list[Any], act: Callable[[], Message], *, apart: bool = False
    ) -> Message:
        """The answer to this request, the run's next one that writes; done at most once.

        `apart` is what has no part in our transactions: it may be done twice where the
        worker ends between the answer and its being kept.
        """


class Others(typing.Protocol):
    """Who asks other hosts."""

    hosts: Collection[str]

    def ask(
        self, method: str, host: str, path: str, headers: dict[str, str], body: bytes
    ) -> Message:
        """The answer of one of `hosts`."""


def check_instance(name: str) -> None:
    """Raises ValueError for a name that would lead the kit's addresses elsewhere."""
    if not INSTANCE.fullmatch(name):
        raise ValueError(f"INSTANCE_NAME: “{name[:64]}” cannot be one.")


class Broker:
    """Answers what one run asks; a context manager, behind which its token is gone.

    In a `dry` run what is written is answered as ever, and not kept. `writes` see that a run
    which is tried again writes nothing twice, `others` ask the hosts that they name. Raises
    ValueError for an instance name that can be none.
    """

    def __init__(
        self,
        application: Application,
        instance: str,
        dry: bool = False,
        writes: Writes | None = None,
        others: Others | None = None,
    ) -> None:
        check_instance(instance)
        self.application, self.dry, self.writes = application, dry, writes
        self.others = others
        self.client_id, self.client_secret = secrets.token_hex(8), secrets.token_hex(32)
        self.instance = instance
        self.token = ""
        self.hosts = {
            f"{instance}.{DOMAIN}": self._home,
            f"fumage-{instance}.{DOMAIN}": self._fhir,
            f"fhir-{instance}.{DOMAIN}": self._fhir,
        }

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_error: object) -> None:
        if self.token:
            self.row.delete()

    @property
    def settings(self) -> dict[str, str]:
        """What the kit's helpers ask for; the secret is this run's own."""
        return {
            "CLIENT_ID": self.client_id,
            "CLIENT_SECRET": self.client_secret,
            "INSTANCE_NAME": self.instance,
        }

    def __call__(self, request: Message) -> Message:
        """The answer to a request as a run sends it, or {"refused": why}."""
        try:
            method, url = str(request["method"]), str(request["url"])
            headers = {str(n).lower(): str(v) for n, v in request["headers"]}
            body = base64.b64decode(str(request["body"]), validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            return {"refused": "this is no request"}
        address = ADDRESS.fullmatch(url)
        if address is None:
            return {"refused": f"“{url[:128]}” is no address that is answered here"}
        host, path = address[1], address[2] or "/"
        abroad = host not in self.hosts
        if abroad and (self.others is None or host not in self.others.hosts):
            return {"refused": f"host {host} is not allowed for this protocol"}
        if method not in READING | WRITING | (ABROAD if abroad else set()):
            return {"refused": f"{method[:16]} is not answered here"}
        if abroad:
            return self.others.ask(method, host, path, headers, body)
        return self.hosts[host](method, path, headers, body)

    def _home(
        self, method: str, path: str, _headers: dict[str, str], body: bytes
    ) -> Message:
        if (method, path) != ("POST", TOKEN):
            return _answer(404, {"error": "not_found"})
        sent = parse_qs(body.decode("utf-8", "replace"))
        ours = {"client_id": self.client_id, "client_secret": self.client_secret}
        if sent.get("grant_type") != ["client_credentials"] or not all(
            secrets.compare_digest(sent.get(name, [""])[0].encode(), value.encode())
            for name, value in ours.items()
        ):
            return _answer(401, {"error": "invalid_client"})
        self._make_token()
        told = {"access_token": self.token, "token_type": "Bearer", "scope": ""}
        return _answer(200, told | {"expires_in": GOOD_FOR.seconds})

    def _make_token(self) -> None:
        if self.token:
            return
        self.token = secrets.token_hex(20)
        expires = timezone.now() + GOOD_FOR
        self.row = AccessToken(application=self.application, expires=expires)
        set_token_value(self.row, self.token)
        self.row.save()

    def _fhir(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Message:
        """The clinic's own views; a token that is not this run's is none."""
        sent = headers.get("authorization", "")
        good = bool(self.token) and secrets.compare_digest(
            sent.encode(), f"Bearer {self.token}".encode()
        )
        path, _mark, query = path.partition("?")
        request = WSGIRequest(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": f"/fhir{path}",
                "QUERY_STRING": query,
                "SERVER_NAME": _host(),
                "SERVER_PORT": "443",
                "HTTP_HOST": _host(),
                "REMOTE_ADDR": "127.0.0.1",
                "wsgi.url_scheme": "https",
                "wsgi.input": BytesIO(body),
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": headers.get("content-type", ""),
                "HTTP_ACCEPT": headers.get("accept", "application/json"),
                **({"HTTP_AUTHORIZATION": sent} if good else {}),
            }
        )
        if method not in WRITING:
            return _asked(request)
        if self.dry or self.writes is None:
            with undone_if(self.dry):
                return _asked(request)
        return self.writes.once([method, path, query, body], lambda: _asked(request))


def _asked(request: WSGIRequest) -> Message:
    # Closing it would end the request, and with it the worker's database connection.
    response = _views().get_response(request)
    return {
        "status": response.status_code,
        "headers": [[name, value] for name, value in response.items()],
        "body": base64.b64encode(response.content).decode(),
    }


@cache
def _views() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


def _host() -> str:
    """An address of this site, for what resources say about their own."""
    named = [host for host in settings.ALLOWED_HOSTS if not host.startswith(("*", "."))]
    return named[0] if named else "localhost"


def _answer(status: int, told: Message) -> Message:
    body = base64.b64encode(json.dumps(told).encode()).decode()
    return {
        "status": status,
        "headers": [["Content-Type", "application/json"]],
        "body": body,
    }
