"""What the administration's front page says of protocols."""

from django import template

from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.admin.events import COUNTED, counted

register = template.Library()


@register.inclusion_tag("admin/protocols/protocol/_parked.html")
def parked_events() -> dict[str, int]:
    """How many events are parked, which somebody has to look at."""
    return {"parked": counted(ChangeEvent.State.PARKED), "most": COUNTED}
