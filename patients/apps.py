from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PatientsConfig(AppConfig):
    name = "patients"
    verbose_name = _("Patients")

    def ready(self) -> None:
        from django.core.checks import register
        from django.db.models.signals import post_migrate

        from canvas_admin.fhir import resources
        from patients import linking, work
        from patients.api.appointment import AppointmentResource
        from patients.api.audit_event import AuditEventResource
        from patients.api.care_team import CareTeamResource
        from patients.api.condition import ConditionResource
        from patients.api.consent import ConsentResource
        from patients.api.coverage import CoverageResource
        from patients.api.diagnostic_report import DiagnosticReportResource
        from patients.api.document_reference import DocumentReferenceResource
        from patients.api.group import GroupResource
        from patients.api.patient import PatientResource
        from patients.eligibility.payers import check_configured
        from patients.revenue import claim_keys
        from patients.search import stream_keys
        from patients.work import panels, work_keys

        for served in (
            AppointmentResource,
            AuditEventResource,
            CareTeamResource,
            ConditionResource,
            ConsentResource,
            CoverageResource,
            DiagnosticReportResource,
            DocumentReferenceResource,
            GroupResource,
            PatientResource,
        ):
            resources.register(served())
        for kind in panels.KINDS:
            work.register(kind)
        work.shelve(linking.LINKED)
        stream_keys.BOOKS += [work_keys.WORK, claim_keys.CLAIMS]
        register(check_configured)
        post_migrate.connect(stream_keys.fill_after_migrate, sender=self)
