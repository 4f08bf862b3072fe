"""The addresses of the workflow kit's own program."""

from django.urls import path

from canvas_admin.protocols import api

app_name = "protocols"

urlpatterns = [
    path("PatientProtocol/upload/", api.upload, name="upload"),
    path("PatientProtocol/set_active/", api.set_active, name="set-active"),
    path("PatientProtocol/version/<str:name>/", api.version, name="version"),
    path("PatientProtocolInput/<str:key>", api.patient_input, name="patient-input"),
]
