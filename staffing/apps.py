from django.apps import AppConfig
from django.db.models.signals import m2m_changed, post_migrate, pre_delete, pre_save
from django.utils.translation import gettext_lazy as _


class StaffingConfig(AppConfig):
    name = "staffing"
    verbose_name = _("Staff")

    def ready(self) -> None:
        from django.contrib.auth.models import Group

        from staffing import groups

        post_migrate.connect(groups.sync_after_migrate)
        pre_save.connect(groups.guard_save, sender=Group)
        pre_delete.connect(groups.guard_delete, sender=Group)
        m2m_changed.connect(groups.guard_permissions, sender=Group.permissions.through)
