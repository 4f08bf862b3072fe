from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CanvasAdminConfig(AppConfig):
    name = "canvas_admin"


class ClinicAdminConfig(AdminConfig):
    """Puts the clinic's admin site in the place of Django's."""

    default_site = "canvas_admin.site.ClinicAdminSite"
