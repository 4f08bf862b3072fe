"""The addresses of the workflow kit's own program, and those of cards in the chart."""

from django.urls import path, re_path

from canvas_admin.protocols import api, views

app_name = "protocols"

urlpatterns = [
    path("api/PatientProtocol/upload/", api.upload, name="upload"),
    path("api/PatientProtocol/set_active/", api.set_active, name="set-active"),
    path("api/PatientProtocol/version/<str:name>/", api.version, name="version"),
    re_path(
        r"^api/PatientProtocolInput/(?P<key>[^/]+)/?$",
        api.patient_input,
        name="patient-input",
    ),
    path(
        "patient/<str:key>/protocols/<str:result>/snooze/", views.snooze, name="snooze"
    ),
]
