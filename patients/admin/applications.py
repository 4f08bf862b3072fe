"""On the page of an application: which patient groups its new patients join."""

from patients.models import Joining
from staffing.admin.applications import ApplicationAdmin
from staffing.admin.parts import Part


class Joinings(Part):
    """For whoever may change the application."""

    model = Joining
    fields = ("patient_group",)


ApplicationAdmin.inlines = (*ApplicationAdmin.inlines, Joinings)
