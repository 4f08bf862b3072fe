"""Addresses of the schedule, and of a patient's appointments."""

from django.urls import path

from patients import views

APPOINTMENTS = "patient/<str:key>/appointments/"
APPOINTMENT = f"{APPOINTMENTS}<str:appointment>/"

urlpatterns = [
    path("schedule/", views.schedule, name="schedule"),
    path("schedule/new/", views.new_appointment, name="new-appointment"),
    path(APPOINTMENTS, views.appointments, name="appointments"),
    path(f"{APPOINTMENTS}new/", views.book, name="book"),
    path(APPOINTMENT, views.appointment, name="appointment"),
    path(f"{APPOINTMENT}change/", views.reschedule, name="reschedule"),
    path(f"{APPOINTMENT}status/", views.appointment_status, name="appointment-status"),
    path(f"{APPOINTMENT}note/", views.start_note, name="start-note"),
]
