from django.db import migrations

from patients.models.folded import folded_words


def fold(apps, schema_editor):
    """Write what searches over the API compare, for the tasks that are there."""
    tasks = apps.get_model("tasks", "Task").objects
    last = 0
    while rows := list(tasks.filter(pk__gt=last).order_by("pk")[:500]):
        for row in rows:
            row.folded_title = folded_words(row.title)
        tasks.bulk_update(rows, ["folded_title"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("tasks", "0004_api_and_teams")]

    operations = [migrations.RunPython(fold, migrations.RunPython.noop)]
