"""What the tests of signing in share: passwords, an account with one, the act itself."""

import re
import time
from typing import Any

from django.core import mail
from django.test import Client

from staffing.models import User
from staffing.sessions import SEEN, STARTED

PASSWORD = "a sentence nobody else says"
OTHER = "another sentence for another day"
# No session of a walk lasts longer.
SESSION_SECONDS = 600


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.email = f"{user.username}@clinic.example"
    user.save()
    return user


def sign_in(name: str, password: str = PASSWORD, **extra: Any) -> Any:
    """The answer to a sign-in, and its client as `.client`."""
    client = Client(**extra)
    answer = client.post("/account/login/", {"login": name, "password": password})
    answer.client = client
    return answer


def note_activity_ahead(client: Client) -> None:
    """So that no request, each of which is undone, has the session's to write down."""
    session, now = client.session, time.time()
    session[STARTED], session[SEEN] = now, now + SESSION_SECONDS
    session.save()


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def masked(answer: Any) -> str:
    """The page, without what differs between any two answers."""
    page = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", answer.text)
    return re.sub(r'(name="login" value=")[^"]*', r"\1", page)


def use_link(path: str, password: str = PASSWORD) -> Any:
    """Open a one-time link and choose a password; the last answer."""
    client = Client()
    page = client.get(path, follow=True)
    form = page.redirect_chain[-1][0] if page.redirect_chain else path
    return client.post(
        form, {"password1": password, "password2": password}, follow=True
    )


def letters(number: int) -> list[Any]:
    """The letters sent, once there are so many; they leave in threads of their own."""
    until = time.monotonic() + 5
    while len(mail.outbox) < number and time.monotonic() < until:
        time.sleep(0.01)
    return list(mail.outbox)
