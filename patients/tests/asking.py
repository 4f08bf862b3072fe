"""What tests of requests for access do over HTTP, from the grey row to the decision."""

import re

from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from patients.models import AccessRequest

SEARCH = reverse("patients:search")
ASK = reverse("patients:request-access")
MINE = reverse("patients:access-requests")
LIST = reverse("admin:patients_accessrequest_changelist")
REASON = "Covers the South clinic this week."


def handles_in(response):
    """The handles of a page's grey rows, in its order."""
    return re.findall(r'name="patient" value="([^"]*)"', response.content.decode())


def handle_of(client, text="brandt"):
    """The handle of the one grey row that "See all patients" finds."""
    (handle,) = handles_in(client.post(SEARCH, {"q": text, "see_all": "1"}))
    return handle


def send(client, handle, **changes):
    """Send the form of one grey row."""
    post = {"patient": handle, "reason": REASON, "wanted_for": "week", "send": "1"}
    return client.post(ASK, post | changes)


def ask(client, text="brandt", **changes):
    """Find a patient out of reach and ask for access; the request that this made."""
    response = send(client, handle_of(client, text), **changes)
    assert response.status_code == 302, response.content.decode()
    return AccessRequest.objects.latest("pk")


def page_of(asked):
    """Where a request is decided."""
    return reverse("admin:patients_accessrequest_change", args=[asked.key])


def grant(client, asked, by, **changes):
    """Grant a request by a group, as its page would, until further notice."""
    post = {"group": by.public_id, "end_date": "", "form_version": asked.version}
    return client.post(page_of(asked), post | {"grant": "1"} | changes)


def decline(client, asked, **changes):
    """Decline a request, as its page would."""
    post = {"form_version": asked.version, "decline": "1"}
    return client.post(page_of(asked), post | changes)


def withdraw(client, asked, **changes):
    """Withdraw a request, as the page of one's own would."""
    post = {"withdraw": asked.key, "form_version": asked.version}
    return client.post(MINE, post | changes, follow=True)


def state_of(asked):
    """The state as it is in the database now."""
    return AccessRequest.objects.get(pk=asked.pk).state


def on_the_trail(action):
    """The rows of an act: (outcome, actor, patient, path), without the act's own."""
    rows = AuditRow.objects.filter(action=action).exclude(patient="").order_by("pk")
    return [(r.outcome, r.actor_name, r.patient, r.access_path) for r in rows]
