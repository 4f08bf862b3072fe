from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PatientsConfig(AppConfig):
    name = "patients"
    verbose_name = _("Patients")

    def ready(self) -> None:
        from django.core.checks import register
        from django.db.models.signals import post_migrate

        from patients.eligibility.payers import check_configured
        from patients.stream_keys import fill_after_migrate

        register(check_configured)
        post_migrate.connect(fill_after_migrate, sender=self)
