from django.apps import AppConfig
from django.db.models.signals import m2m_changed, post_migrate, pre_delete, pre_save
from django.utils.translation import gettext_lazy as _


class StaffingConfig(AppConfig):
    name = "staffing"
    verbose_name = _("Staff")

    def ready(self) -> None:
        from django.contrib.auth.models import Group, Permission

        from canvas_admin.fhir.resources import register
        from staffing import group_keeping
        from staffing.api.practitioner import PractitionerResource
        from staffing.models import ManagedGroupLink, User

        register(PractitionerResource())
        post_migrate.connect(group_keeping.sync_after_migrate)
        pre_save.connect(group_keeping.guard_save, sender=Group)
        pre_delete.connect(group_keeping.guard_delete, sender=Group)
        m2m_changed.connect(
            group_keeping.guard_permissions, sender=Group.permissions.through
        )
        group_keeping.guard_rows(Group.permissions.through)
        pre_delete.connect(group_keeping.guard_permission, sender=Permission)
        pre_save.connect(group_keeping.guard_link, sender=ManagedGroupLink)
        pre_delete.connect(group_keeping.guard_link, sender=ManagedGroupLink)
        m2m_changed.connect(group_keeping.guard_holders, sender=User.groups.through)
