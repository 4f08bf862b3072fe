"""Each area asks for each of its model permissions, against a table written by hand.

The matrix cannot tell: a managed group that gives one of them gives the others too. A
group that a clinic makes itself, in the database, may not.
"""

from canvas_admin.fhir.resources import RESOURCES
from patients import areas
from patients.decisions import ACCESS, decide
from staffing.standing import Standing

CLINICAL = """
condition medication allergyintolerance immunization labreport imagingreport observation
clinicaldocument refillrequest note addendum reasonforvisit plan instruction vitalsigns
diagnosis prescription laborder imagingorder referral notetask notereview
"""
CLAIMS = "claim claimline claimdiagnosis claimposting claimsnooze"
REPORTS = "labreport imagingreport clinicaldocument"
# view:chart stands for the right to view each of the models in `chart`.
MODELS = {
    "chart": CLINICAL.split(),
    "claims": CLAIMS.split(),
    "reports": REPORTS.split(),
}
ASKED_LINES = """
find               find_patient
schedule           find_patient
revenue            find_patient view_claim
tasks              find_patient tasks.view_task tasks.view_taskcomment
write_tasks        find_patient tasks.view_task tasks.view_taskcomment tasks.add_task \
tasks.change_task tasks.add_taskcomment
campaigns          find_patient tasks.view_task tasks.view_taskcomment tasks.add_task \
tasks.change_task tasks.add_taskcomment tasks.view_campaign tasks.add_campaign \
tasks.change_campaign
create             find_patient add_patient
chart              view_patient view:chart
panels             view_patient view:chart
review             view_patient view:chart change:reports change_refillrequest
write_chart        view_patient view:chart add:chart change:chart
profile            view_patient
edit-profile       view_patient change_patient
appointments       find_patient
documents          find_patient view_administrativedocument
write_documents    find_patient view_administrativedocument \
add_administrativedocument change_administrativedocument
claims             find_patient view:claims view_claimstatechange
write_claims       find_patient view:claims view_claimstatechange add:claims \
change:claims
data-integration   find_patient view_incomingfile add_incomingfile change_incomingfile
link_file          find_patient view_incomingfile add_incomingfile change_incomingfile \
add:reports change:reports
link_document      find_patient view_incomingfile add_incomingfile change_incomingfile \
add:reports change:reports add_administrativedocument change_administrativedocument
book               find_patient add_appointment
reschedule         find_patient change_appointment
status             find_patient change_appointment_status
print_chart        view_patient view:chart print_patient
print_results      view_patient view:chart print_patient
print_visit        view_patient view:chart print_patient
print_statement    find_patient view:claims view_claimstatechange print_patient
print_statements   find_patient view:claims view_claimstatechange print_patient
print_profile      view_patient print_patient
print_appointments find_patient print_patient
print_document     find_patient view_administrativedocument print_patient
print_schedule     find_patient print_patient
audit              staffing.open_administration audit.view_auditrow
"""
# What each interaction of the API asks for (DESIGN section 5); "-" is nothing, for programs.
API_LINES = """
Appointment      read search    find_patient
Appointment      create         find_patient add_appointment
Appointment      update         find_patient change_appointment
AuditEvent       read search    staffing.open_administration audit.view_auditrow
CareTeam         read search    view_patient
CareTeam         update         view_patient change_patient
Condition        read search    view_patient view:chart
Consent          read search    view_patient
Consent          create         view_patient change_patient
Consent          file           find_patient view_administrativedocument
Coverage         read search    view_patient
DiagnosticReport read search    view_patient view:chart
DocumentReference read search file -
Group            read search    -
Group            create update  staffing.add_team staffing.change_team change_patientgroup \
add_patientgroupmember change_patientgroupmember
Patient          read search    view_patient
Patient          create         find_patient add_patient
Patient          update         view_patient change_patient
Practitioner     read search    -
Practitioner     create         staffing.add_staff
Practitioner     update         staffing.change_staff
Task             read search    find_patient tasks.view_task tasks.view_taskcomment
Task             create update  find_patient tasks.view_task tasks.view_taskcomment \
tasks.add_task tasks.change_task tasks.add_taskcomment
"""
# A resource type of several sorts lets through whoever may read one, and shows those.
SORTS = {
    ("DocumentReference", "ClinicalDocument"): "view_patient view:chart",
    ("DocumentReference", "LabReport"): "view_patient view:chart",
    ("DocumentReference", "ImagingReport"): "view_patient view:chart",
    ("DocumentReference", "AdministrativeDocument"): "find_patient \
view_administrativedocument",
    ("DiagnosticReport", "LabReport"): "view_patient view:chart",
    ("DiagnosticReport", "ImagingReport"): "view_patient view:chart",
}
INTERACTIONS = {"read", "search", "create", "update", "file"}


def asked():
    """area → the names of the permissions that it asks for."""
    lines = [line.split() for line in ASKED_LINES.split("\n") if line]
    return {code: {n for name in names for n in full(name)} for code, *names in lines}


def full(name):
    verb, _colon, models = name.partition(":")
    if models:
        return [f"patients.{verb}_{model}" for model in MODELS[models]]
    return [name if "." in name else f"patients.{name}"]


def test_whoever_has_nothing_misses_what_the_table_says(cast):
    nothing, expected = Standing(user=cast.nil.user.pk), asked()
    assert expected.keys() == areas.BY_CODE.keys()
    for code, area in areas.BY_CODE.items():
        about = cast.ada if area.about_patient else None
        missing = {*decide(nothing, code, about).missing} - {ACCESS}
        assert missing == expected[code], code


def asked_of_programs():
    """(type, interaction) → the names of the permissions that it asks for."""
    found = {}
    for kind, *words in map(str.split, API_LINES.strip().splitlines()):
        names = [word for word in words if word not in INTERACTIONS and word != "-"]
        permissions = {n for name in names for n in full(name)}
        for interaction in INTERACTIONS.intersection(words):
            found[kind, interaction] = permissions
    return found


def test_the_api_asks_for_what_the_table_says():
    served = {
        (resource.type, interaction): set(permissions)
        for resource in RESOURCES.values()
        for interaction, permissions in resource.permissions.items()
    } | {
        (resource.type, "file"): set(permissions)
        for resource in RESOURCES.values()
        for permissions in resource.files.values()
    }
    assert served == asked_of_programs()


def test_each_sort_asks_for_what_the_table_says():
    served = {
        (resource.type, part.model.__name__): [*map(set, part.permissions.values())]
        for resource in RESOURCES.values()
        for part in getattr(resource, "parts", ())
    }
    wanted = {
        sort: [{n for name in names.split() for n in full(name)}] * 2
        for sort, names in SORTS.items()
    }
    assert served == wanted
