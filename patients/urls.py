"""The patients' pages."""

from django.urls import path

from patients import views

app_name = "patients"
urlpatterns = [
    path("patients/", views.roster, name="list"),
    path("patients/search/", views.search, name="search"),
    path("patients/new/", views.create, name="create"),
    path("patients/access/", views.access_requests, name="access-requests"),
    path("patients/access/ask/", views.request_access, name="request-access"),
    path("patients/new/receipt/", views.receipt, name="receipt"),
    path("patient/<str:key>/", views.chart, name="chart"),
    path("patient/<str:key>/results/<slug:kind>/", views.results, name="results"),
    path("patient/<str:key>/profile/", views.profile, name="profile"),
    path("schedule/", views.schedule, name="schedule"),
    path("schedule/new/", views.new_appointment, name="new-appointment"),
    path("patient/<str:key>/appointments/", views.appointments, name="appointments"),
    path("patient/<str:key>/appointments/new/", views.book, name="book"),
    path(
        "patient/<str:key>/appointments/<str:appointment>/",
        views.appointment,
        name="appointment",
    ),
    path(
        "patient/<str:key>/appointments/<str:appointment>/change/",
        views.reschedule,
        name="reschedule",
    ),
    path(
        "patient/<str:key>/appointments/<str:appointment>/status/",
        views.appointment_status,
        name="appointment-status",
    ),
    path("patient/<str:key>/documents/", views.documents, name="documents"),
    path("patient/<str:key>/documents/new/", views.file_document, name="file-document"),
    path(
        "patient/<str:key>/documents/<str:document>/file/",
        views.document_file,
        name="document-file",
    ),
    path(
        "patient/<str:key>/documents/<str:document>/change/",
        views.edit_document,
        name="edit-document",
    ),
    path(
        "patient/<str:key>/documents/<str:document>/remove/",
        views.remove_document,
        name="remove-document",
    ),
    path(
        "patient/<str:key>/documents/<str:document>/restore/",
        views.restore_document,
        name="restore-document",
    ),
]
