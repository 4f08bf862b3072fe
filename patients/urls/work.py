"""Addresses of the panels, and of what is done with an item of work."""

from django.urls import path

from patients import views
from patients.work import panels

WORK = "patient/<str:key>/work/<slug:kind>/<str:row>/"

urlpatterns = [
    *(
        path(
            f"panels/{kind.code}/",
            views.panel,
            {"kind": kind},
            name=kind.url_name.removeprefix("patients:"),
        )
        for kind in panels.KINDS
    ),
    path(f"{WORK}review/", views.review, name="review"),
    path(f"{WORK}review/undo/", views.undo_review, name="undo-review"),
    path(f"{WORK}hand-over/", views.hand_over, name="hand-over"),
    path("patient/<str:key>/refills/new/", views.record_refill, name="record-refill"),
    path("patient/<str:key>/refills/<str:row>/", views.refill, name="refill"),
]
