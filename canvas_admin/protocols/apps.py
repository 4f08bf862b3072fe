from django.apps import AppConfig


class ProtocolsConfig(AppConfig):
    name = "canvas_admin.protocols"
    label = "protocols"
