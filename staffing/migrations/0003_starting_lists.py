"""What a clinic starts with: the five visit types and usual care team roles.

Facts 5.3 and 6.5. What is there already, under the same name or code, stays as it is;
going back removes nothing.
"""

from django.db import migrations

VISIT_TYPES = [
    ("Home visit", "439708006"),
    ("Telemedicine", "448337001"),
    ("Office visit", "308335008"),
    ("Lab visit", "31108002"),
    ("Phone call", "185317003"),
]

SNOMED = "http://snomed.info/sct"
CARE_TEAM_ROLES = [
    (SNOMED, "446050000", "Primary care physician"),
    (SNOMED, "309343006", "Physician"),
    (SNOMED, "449161006", "Physician assistant"),
    (SNOMED, "224571005", "Nurse practitioner"),
    (SNOMED, "224535009", "Registered nurse"),
    (SNOMED, "768820003", "Care coordinator"),
    (SNOMED, "106328005", "Social worker"),
    (SNOMED, "17561000", "Cardiologist"),
    # SNOMED CT has no concept for it.
    ("INTERNAL", "HEALTH-COACH", "Health coach"),
]


def make_starting_lists(apps, schema_editor):
    visit_types = apps.get_model("staffing", "VisitType").objects
    for name, code in VISIT_TYPES:
        visit_types.get_or_create(name=name, defaults={"code": code})
    roles = apps.get_model("staffing", "CareTeamRole").objects
    for system, code, display in CARE_TEAM_ROLES:
        roles.get_or_create(code=code, defaults={"system": system, "display": display})


class Migration(migrations.Migration):
    dependencies = [("staffing", "0002_import_sources")]

    operations = [
        migrations.RunPython(make_starting_lists, migrations.RunPython.noop),
    ]
