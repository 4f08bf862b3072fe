"""Why there is a task: the fourteen origins of automated ones, and who answers for each."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from staffing.models import TeamResponsibility

Responsibility = TeamResponsibility.Code


class Origin(models.TextChoices):
    """What caused an automated task (facts 6.4)."""

    REFERRAL = "REF_CMD", _("Referral command")
    IMAGING_ORDER = "CMP_IMG_ORD", _("Completing image orders")
    IMAGING_REVIEW = "IMG_REP_REV", _("Imaging report review")
    LAB_REVIEW = "LAB_RES_REV", _("Lab results review")
    CONSULT_REVIEW = "CON_REP_REV", _("Consult report review")
    DOCUMENT_REVIEW = "UNC_DOC_REP_REV", _("Uncategorized document report review")
    NOTE_REVIEW = "ASN_NOT_PHN_REV", _("Assigned note or phone call for review")
    CAMPAIGN = "POP_HLT_OUT", _("Population health outreach")
    LAB_ORDER = "CMP_LAB_ORD", _("Completing lab orders")
    CHART_PDF = "CHT_PDF", _("Chart PDF")
    EXPIRED_CLAIM = "EXP_CLM_SNO", _("Expired claim snoozed")
    FLAGGED_POSTING = "FLG_PST_REV", _("Flagged posting review")
    STATEMENTS = "BAT_PTN_STA", _("Batch patient statements")
    COVERAGE = "INC_COV", _("Incomplete coverage")


# An origin that is not here goes to nobody: its task is made for a person, or waits in the
# unassigned queue.
RESPONSIBLE = {
    Origin.REFERRAL: Responsibility.REFERRALS,
    Origin.IMAGING_ORDER: Responsibility.REFERRALS,
    Origin.IMAGING_REVIEW: Responsibility.RESULTS,
    Origin.LAB_REVIEW: Responsibility.RESULTS,
    Origin.CONSULT_REVIEW: Responsibility.RESULTS,
    Origin.DOCUMENT_REVIEW: Responsibility.RESULTS,
    Origin.CAMPAIGN: Responsibility.CAMPAIGNS,
    Origin.LAB_ORDER: Responsibility.LAB_ORDERS,
    Origin.FLAGGED_POSTING: Responsibility.ERA_EXCEPTIONS,
    Origin.STATEMENTS: Responsibility.PAYMENTS,
    Origin.COVERAGE: Responsibility.COVERAGES,
}
