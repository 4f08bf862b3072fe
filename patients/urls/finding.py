"""Addresses of finding a patient, of entering one, and of asking for access."""

from django.urls import path

from patients import views

urlpatterns = [
    path("patients/", views.roster, name="list"),
    path("patients/search/", views.search, name="search"),
    path("patients/new/", views.create, name="create"),
    path("patients/new/receipt/", views.receipt, name="receipt"),
    path("patients/access/", views.access_requests, name="access-requests"),
    path("patients/access/ask/", views.request_access, name="request-access"),
]
