from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "canvas_admin.events"
    label = "events"
