from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = _("Tasks")

    def ready(self) -> None:
        from patients import areas, work
        from tasks.models import Task

        work.register(
            work.Kind(
                code="tasks",
                number=5,
                model=Task,
                title=_("Tasks"),
                url_name="tasks:list",
                permissions=areas.SEE_TASKS,
                to_act=areas.WRITE_TASKS,
                row="tasks/_row.html",
                prefetched=("labels",),
                loose=True,
                orders={
                    "priority": work.Order(6, "due", ranked_by="rank"),
                    "newest": work.Order(7, "created", backwards=True),
                },
            )
        )
