"""Tasks as lists read them: by status, in each of the orders that one offers."""

from django.db.models import Q

from patients.work import Order, Shelf
from tasks.models import Task

# The numbers stand in the database and never change.
OPEN_ORDERS = {
    "": Order(5, "due"),
    "priority": Order(6, "due", ranked_by="rank"),
    "newest": Order(7, "created", backwards=True),
}


def _shelf(status: Task.Status, orders: dict[str, Order]) -> Shelf:
    return Shelf(
        model=Task,
        rows=Q(status=status),
        orders=orders,
        loose=True,
        labelled_by="labelled__label",
        prefetched=("labels",),
    )


SHELVES = {
    "open": _shelf(Task.Status.OPEN, OPEN_ORDERS),
    "completed": _shelf(Task.Status.COMPLETED, {"": Order(8, "ended", backwards=True)}),
    "closed": _shelf(Task.Status.CLOSED, {"": Order(9, "ended", backwards=True)}),
}
