"""The kinds of work that are about a patient's chart, each with its panel (S2, DESIGN 3)."""

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from patients import areas
from patients.models import (
    ClinicalDocument,
    ImagingReport,
    LabReport,
    Observation,
    RefillRequest,
    Reviewable,
    WorkItem,
)
from patients.work import Kind, Order, Shelf

VALUES = Prefetch(
    "values", Observation.objects.filter(entered_in_error=False).order_by("pk")
)


def _open(model: type[WorkItem], number: int, **shown: Any) -> Shelf:
    """The open items of a model, in the one order of its panel."""
    return Shelf(model, model.OPEN, {"": Order(number, model.dated_by)}, **shown)


KINDS = (
    Kind(
        code="labs",
        shelf=_open(LabReport, 1, prefetched=(VALUES,)),
        title=_("New labs"),
        url_name="patients:labs",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_result.html",
        whole="patients/_labs.html",
    ),
    Kind(
        code="imaging",
        shelf=_open(ImagingReport, 2),
        title=_("New imaging"),
        url_name="patients:imaging",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_result.html",
        whole="patients/_imaging.html",
    ),
    Kind(
        code="other-documents",
        shelf=_open(ClinicalDocument, 3),
        title=_("Other documents"),
        url_name="patients:other-documents",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_result.html",
        whole="patients/_clinical_documents.html",
    ),
    Kind(
        code="refills",
        shelf=_open(RefillRequest, 4, related=("medication",)),
        title=_("Refill requests"),
        url_name="patients:refills",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_refill.html",
    ),
)
BY_CODE = {kind.code: kind for kind in KINDS}
# Those that a person looks at and then marks as reviewed.
REVIEWED = {k.code: k for k in KINDS if issubclass(k.model, Reviewable)}
