"""What people type on the patients' pages, one file per kind of form."""

from patients.forms.access_request import AccessRequestForm
from patients.forms.fields import ParagraphField
from patients.forms.intake import PatientForm
from patients.forms.search import SearchForm

__all__ = [
    "AccessRequestForm",
    "ParagraphField",
    "PatientForm",
    "SearchForm",
]
