"""Addresses of the claims: the worklist, a patient's, and the parts of one."""

from django.urls import URLPattern, path

from patients import views
from patients.views.claims import PARTS, Part

CLAIMS = "patient/<str:key>/claims/"
CLAIM = f"{CLAIMS}<str:claim>/"


def _forms_of(part: Part) -> list[URLPattern]:
    """The forms of a claim's parts: a new one, one that is there, ending one."""
    address, about = f"{CLAIM}{part.related}/", {"part": part}
    name = f"claim-{part.code}"
    change = path(f"{address}<str:row>/", views.change_part, about, f"{name}-change")
    return [
        path(f"{address}new/", views.add_part, about, f"{name}-add"),
        *([change] if part.changeable else []),
        path(f"{address}<str:row>/end/", views.end_part, about, f"{name}-end"),
    ]


urlpatterns = [
    path("revenue/", views.revenue, name="revenue"),
    path("revenue/file/", views.revenue_file, name="revenue-file"),
    path(CLAIMS, views.claims, name="claims"),
    path(f"{CLAIMS}new/", views.add_claim, name="add-claim"),
    path(f"{CLAIMS}new/<str:note>/", views.add_claim, name="claim-note"),
    path(CLAIM, views.claim, name="claim"),
    path(f"{CLAIM}change/", views.change_claim, name="change-claim"),
    path(f"{CLAIM}snooze/", views.snooze_claim, name="claim-snooze"),
    path(f"{CLAIM}state/", views.claim_state, name="claim-state"),
    *(form for part in PARTS for form in _forms_of(part)),
]
