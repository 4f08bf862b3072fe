from django.db import migrations

from patients.models.folded import folded_words


def fold(apps, schema_editor):
    """Write what searches over the API compare, for the names that are there."""
    names = apps.get_model("patients", "PatientName").objects
    last = 0
    while rows := list(names.filter(pk__gt=last).order_by("pk")[:500]):
        for row in rows:
            row.folded_family = folded_words(row.family)
            row.folded_given = folded_words(row.given)
        names.bulk_update(rows, ["folded_family", "folded_given"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("patients", "0018_api_and_teams")]

    operations = [migrations.RunPython(fold, migrations.RunPython.noop)]
