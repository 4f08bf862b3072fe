from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = _("Tasks")

    def ready(self) -> None:
        from canvas_admin.fhir.resources import register
        from patients import areas, work
        from tasks.api.task import TaskResource
        from tasks.shelves import SHELVES

        register(TaskResource())
        work.register(
            work.Kind(
                code="tasks",
                shelf=SHELVES["open"],
                title=_("Tasks"),
                url_name="tasks:list",
                permissions=areas.SEE_TASKS,
                to_act=areas.WRITE_TASKS,
                row="tasks/_row.html",
            )
        )
        for shelf in SHELVES.values():
            work.shelve(shelf)
