"""Addresses of the chart: its sections, results, and notes with their commands."""

from django.urls import path

from patients import views
from patients.urls.sections import pages_of
from patients.views.chart_sections import CHART_SECTIONS

CHART = "patient/<str:key>/chart/"
RESULTS = "patient/<str:key>/results/<slug:kind>/"
NOTES = "patient/<str:key>/notes/"
NOTE = f"{NOTES}<str:note>/"
COMMAND = f"{NOTE}commands/<slug:kind>/<str:command>/"

urlpatterns = [
    path("patient/<str:key>/", views.chart, name="chart"),
    path(RESULTS, views.results, name="results"),
    path(f"{RESULTS}<str:row>/file/", views.result_file, name="result-file"),
    *(page for section in CHART_SECTIONS for page in pages_of(section, CHART)),
    path(NOTES, views.notes, name="notes"),
    path(f"{NOTES}new/", views.new_note, name="new-note"),
    path(NOTE, views.note, name="note"),
    path(f"{NOTE}change/", views.edit_note, name="edit-note"),
    path(f"{NOTE}sign/", views.sign_note, name="sign-note"),
    path(f"{NOTE}in-error/", views.note_in_error, name="note-in-error"),
    path(f"{NOTE}ask-review/", views.ask_review, name="ask-review"),
    path(f"{NOTE}addendum/", views.addendum, name="addendum"),
    path(f"{NOTE}commands/<slug:kind>/", views.add_command, name="add-command"),
    path(COMMAND, views.edit_command, name="edit-command"),
    *(
        path(f"{COMMAND}{act}/", views.command_act, {"act": act}, name=f"{act}-command")
        for act in ("commit", "remove", "error")
    ),
]
