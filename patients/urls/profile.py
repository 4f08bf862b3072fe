"""Addresses of the profile and its sections."""

from django.urls import path

from patients import views
from patients.urls.sections import pages_of
from patients.views.profile import SECTIONS

PROFILE = "patient/<str:key>/profile/"

urlpatterns = [
    path(PROFILE, views.profile, name="profile"),
    path(f"{PROFILE}demographics/", views.demographics, name="demographics"),
    *(page for section in SECTIONS for page in pages_of(section, PROFILE)),
    path(
        f"{PROFILE}coverages/<str:row>/eligibility/",
        views.eligibility,
        name="coverages-eligibility",
    ),
]
