"""The kinds of work that are about a patient's chart, each with its panel (S2, DESIGN 3)."""

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
)
from patients.work import Kind

VALUES = Prefetch(
    "values", Observation.objects.filter(entered_in_error=False).order_by("pk")
)

KINDS = (
    Kind(
        code="labs",
        number=1,
        model=LabReport,
        title=_("New labs"),
        url_name="patients:labs",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_result.html",
        whole="patients/_labs.html",
        prefetched=(VALUES,),
    ),
    Kind(
        code="imaging",
        number=2,
        model=ImagingReport,
        title=_("New imaging"),
        url_name="patients:imaging",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_result.html",
        whole="patients/_imaging.html",
    ),
    Kind(
        code="other-documents",
        number=3,
        model=ClinicalDocument,
        title=_("Other documents"),
        url_name="patients:other-documents",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_result.html",
        whole="patients/_clinical_documents.html",
    ),
    Kind(
        code="refills",
        number=4,
        model=RefillRequest,
        title=_("Refill requests"),
        url_name="patients:refills",
        permissions=areas.OPEN_CHART,
        to_act=areas.REVIEW,
        row="patients/_work_refill.html",
        related=("medication",),
    ),
)
BY_CODE = {kind.code: kind for kind in KINDS}
# Those that a person looks at and then marks as reviewed.
REVIEWED = {k.code: k for k in KINDS if issubclass(k.model, Reviewable)}
