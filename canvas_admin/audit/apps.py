from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "canvas_admin.audit"
    label = "audit"
