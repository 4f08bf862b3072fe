"""OAuth's rules for our programs, over django-oauth-toolkit (RFC 6749, 7636, 9700).

There are the grants that an application can have and no others; PKCE is S256; a client
names itself once, and is asked for its secret as often as a person for a password.
"""

import base64
import binascii
import re
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.http import HttpRequest
from oauth2_provider.models import get_refresh_token_model
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauth2_provider.settings import oauth2_settings
from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    RefreshTokenGrant,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749 import errors

from canvas_admin.audit import ration, trail
from canvas_admin.records import clock
from staffing.models import Application
from staffing.scopes import Scopes, every_scope

# As sign-ins (settings.AXES_FAILURE_LIMIT): so many wrong secrets of one client from one
# address, then a wait.
WRONG_SECRETS = 5
WAIT = timedelta(minutes=15)

_CLIENT_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_CHALLENGE = re.compile(r"[0-9A-Za-z_-]{43}")


class TooManyFailures(errors.OAuth2Error):
    """A client that is not asked for its secret now."""

    error = "invalid_client"
    description = "Too many wrong secrets. Wait 15 minutes."
    status_code = 429


class ScopesOnOffer(BaseScopes):
    """What may be asked for; by an application, what its own scopes cover of it."""

    def get_all_scopes(self) -> dict[str, str]:
        return {scope: scope for scope in every_scope()}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        most = Scopes.read(application.scopes if application else "")
        return [scope for scope in every_scope() if most.cover(Scopes.read(scope))]

    def get_default_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        """Who asks for none gets none."""
        return []


class Clients(OAuth2Validator):
    """Who the clients are and what they get, for one HTTP request.

    What it saves is on the trail in the same transaction, a wrong secret in one of its own.
    """

    def __init__(self, http: HttpRequest | None = None) -> None:
        super().__init__()
        self.http = http

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Whether the client knows its secret, and is switched on.

        Raises TooManyFailures, and InvalidRequestError where a client is named twice.
        """
        client_id, secret = _credentials(request)
        who = sha256(f"{client_id} {self._address()}".encode()).hexdigest()[:32]
        if ration.spent(who, "client", WRONG_SECRETS, WAIT):
            raise TooManyFailures(request=request)
        client = _find(client_id)
        if client is None or not check_password(secret, client.client_secret):
            ration.note(who, "client", WAIT)
            return self._refuse(client, "secret")
        ration.forget(who, "client")
        if not client.is_usable(request):
            return self._refuse(client, "inactive")
        request.client, request.client_id = client, client_id
        return True

    def client_authentication_required(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Request, **kwargs: Any
    ) -> bool:
        """Also: whoever consented may still sign in."""
        good = super().validate_code(client_id, code, client, request, **kwargs)
        return good and request.user.may_sign_in

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Request, **kwargs: Any
    ) -> bool:
        """Also: whoever consented may still sign in, and did so not too long ago."""
        good = super().validate_refresh_token(refresh_token, client, request, **kwargs)
        return (
            good
            and request.user.may_sign_in
            and _is_young(request.refresh_token_instance)
        )

    @transaction.atomic
    def save_authorization_code(
        self, client_id: str, code: dict, request: Request, **kwargs: Any
    ) -> None:
        """Keep the code; only what a code of ours can have is kept with it."""
        request.nonce = request.claims = None
        request.resource = []
        super().save_authorization_code(client_id, code, request, **kwargs)
        self._record(request.user, "token.consent", request, " ".join(request.scopes))

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """Done already, in the transaction that saved the token."""

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, **kwargs: Any
    ) -> None:
        with transaction.atomic():
            super().revoke_token(token, token_type_hint, request, **kwargs)
            self._record(request.client.staff.user, "token.revoked", request)

    def _save_bearer_token(
        self, token: dict, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Save it, and use the code up that it is for.

        Raises InvalidGrantError for a code that was used at the same moment.
        """
        if request.grant_type == "authorization_code":
            super().invalidate_authorization_code(
                request.client_id, request.code, request
            )
        super()._save_bearer_token(token, request, *args, **kwargs)
        clients = Application.objects.filter(pk=request.client.pk)
        clients.update(last_token=clock.now())
        account = request.user or request.client.staff.user
        self._record(account, "token.issued", request, token["scope"])

    def _check_and_set_request_resource(self, request: Request) -> None:
        """Tokens are for this site alone, so that there is no resource to choose."""
        request.resource = []

    def _load_application(self, client_id: str, request: Request) -> Any:
        client = _find(client_id)
        request.client = client if client and client.is_usable(request) else None
        return request.client

    def _address(self) -> str:
        return self.http.META.get("REMOTE_ADDR", "") if self.http else ""

    def _refuse(self, client: Application | None, reason: str) -> bool:
        about = f"application/{client.key}" if client else ""
        trail.refused(self.http, "token.client", reason=reason, about=about)
        return False

    def _record(
        self, account: Any, act: str, request: Request, scope: str = ""
    ) -> None:
        detail = {"grant": request.grant_type, "scope": scope}
        trail.done(
            account,
            act,
            request=self.http,
            subject=f"application/{request.client.key}",
            **{name: value for name, value in detail.items() if value},
        )


class CodeGrant(AuthorizationCodeGrant):
    """PKCE by S256: a plain challenge is refused before anybody is asked to consent."""

    _code_challenge_methods = {
        "S256": AuthorizationCodeGrant._code_challenge_methods["S256"]
    }


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):
    """The endpoints, with the grants that there are."""

    def __init__(self, clients: Clients) -> None:
        code = CodeGrant(clients, pre_auth=[_check_challenge])
        tokens = BearerToken(
            clients, expires_in=oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS
        )
        AuthorizationEndpoint.__init__(
            self,
            default_response_type="code",
            response_types={"code": code},
            default_token_type=tokens,
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            grant_types={
                "authorization_code": code,
                "client_credentials": ClientCredentialsGrant(clients),
                "refresh_token": RefreshTokenGrant(clients),
            },
            default_token_type=tokens,
        )
        RevocationEndpoint.__init__(self, clients)


class Core(OAuthLibCore):
    """The toolkit's way from an HTTP request to the server and back, for one request."""

    def __init__(self, http: HttpRequest) -> None:
        super().__init__(Server(Clients(http)))

    def _get_escaped_full_path(self, request: HttpRequest) -> str:
        """The address, its parameters written anew: oauthlib fails over odd ones."""
        query = request.GET.urlencode()
        return f"{request.path}?{query}" if query else request.path

    def as_oauth(self, request: HttpRequest) -> Request:
        """The request as the rules above read it."""
        return Request(*self._extract_params(request))

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """What was posted; a parameter without a value counts as left out (RFC 6749, 3.2)."""
        return [(name, value) for name, value in request.POST.items() if value]


def _find(client_id: str | None) -> Application | None:
    """The application of this id; None also for a text that is no id of ours."""
    if not _CLIENT_ID.fullmatch(client_id or ""):
        return None
    rows = Application.objects.select_related("staff__user")
    return rows.filter(client_id=client_id).first()


def _credentials(request: Request) -> tuple[str, str]:
    """(client id, secret), from the header or from the body.

    Raises InvalidRequestError for both at once (RFC 6749, 2.3), which would let one name
    be counted and another be tried.
    """
    in_body = (request.client_id or "", request.client_secret or "")
    in_header = _basic(request.headers.get("HTTP_AUTHORIZATION", ""))
    if in_header is None:
        return in_body
    if in_body[1] or in_body[0] not in ("", in_header[0]):
        raise errors.InvalidRequestError(
            "Name the client once, in the header or in the body.", request=request
        )
    return in_header


def _basic(header: str) -> tuple[str, str] | None:
    """The credentials of an Authorization header; None of one that has none."""
    kind, _space, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip()).decode()
    except (binascii.Error, ValueError):
        return ("", "")
    client_id, _colon, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _check_challenge(request: Request) -> dict[str, Any]:
    """Raises InvalidRequestError for a PKCE challenge that no verifier can meet."""
    challenge = request.code_challenge
    if challenge is not None and not _CHALLENGE.fullmatch(challenge):
        raise errors.InvalidRequestError(
            "code_challenge is not one of S256.", request=request
        )
    return {}


def _is_young(token: Any) -> bool:
    """Whether the consent that this refresh token goes back to is not too old.

    Those who asked for a new one in time have one of the same family; the eldest that is
    left tells when it began, for an elder one is cleared away only when it is too old.
    """
    family = get_refresh_token_model().objects.filter(token_family=token.token_family)
    began = family.order_by("created").values_list("created", flat=True).first()
    life = timedelta(seconds=oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS)
    return began is not None and clock.now() < began + life
