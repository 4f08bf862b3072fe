"""Commands that are text: why the patient came, what is planned, what was instructed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.commands import LONG, Command


class ReasonForVisit(Command):
    """Why the patient came; a note that is begun from an appointment takes its reason over."""

    HEADLINE = "comment"

    comment = models.CharField(_("reason for visit"), max_length=1_000)

    class Meta:
        verbose_name = _("reason for visit")


class Plan(Command):
    """What is meant to happen next."""

    HEADLINE = "narrative"

    narrative = models.CharField(_("plan"), max_length=LONG)

    class Meta:
        verbose_name = _("plan")


class Instruction(Command):
    """What the patient was told to do, by a code of SNOMED CT where there is one."""

    change_type = "instruction"
    HEADLINE = "display"
    SYSTEM = "http://snomed.info/sct"

    display = models.CharField(_("instruction"), max_length=255)
    code = models.CharField(_("SNOMED CT code"), max_length=18, blank=True)
    narrative = models.CharField(_("in detail"), max_length=LONG, blank=True)

    class Meta:
        verbose_name = _("instruction")
