"""Labels: the clinic's own words and colours for tasks (facts 6.9)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Keyed, Versioned
from tasks.origins import Origin


class TaskLabel(Versioned):
    """A label. An inactive one goes onto no further task and stays on those that have it."""

    class Color(models.TextChoices):
        RED = "red", _("Red")
        ORANGE = "orange", _("Orange")
        YELLOW = "yellow", _("Yellow")
        GREEN = "green", _("Green")
        TEAL = "teal", _("Teal")
        BLUE = "blue", _("Blue")
        PURPLE = "purple", _("Purple")
        PINK = "pink", _("Pink")
        GREY = "grey", _("Grey")

    name = models.CharField(_("name"), max_length=100, unique=True)
    color = models.CharField(
        _("color"), max_length=6, choices=Color, default=Color.GREY
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=100, help_text=_("Lower numbers are shown first.")
    )
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Inactive labels are not offered; tasks that have them keep them."),
    )

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("task label")

    def __str__(self) -> str:
        return self.name


class TaskLabelOrigin(Keyed):
    """Facts 6.4: a label with an origin "is put on tasks of that origin automatically"."""

    label = models.ForeignKey(
        TaskLabel, on_delete=models.CASCADE, related_name="origins"
    )
    origin = models.CharField(_("origin"), max_length=15, choices=Origin)

    class Meta:
        verbose_name = _("origin of a task label")
        constraints = [
            models.UniqueConstraint(
                fields=["label", "origin"], name="origin_once_per_label"
            )
        ]

    def __str__(self) -> str:
        return self.get_origin_display()
