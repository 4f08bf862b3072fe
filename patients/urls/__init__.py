"""The patients' pages, by area."""

from patients.urls import (
    chart,
    documents,
    finding,
    printing,
    profile,
    revenue,
    schedule,
    work,
)

app_name = "patients"
urlpatterns = [
    *finding.urlpatterns,
    *chart.urlpatterns,
    *profile.urlpatterns,
    *work.urlpatterns,
    *revenue.urlpatterns,
    *schedule.urlpatterns,
    *documents.urlpatterns,
    *printing.urlpatterns,
]
