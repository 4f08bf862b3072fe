"""Names have keys of one kind; all keys are taken out, to be made anew after migrating."""

from typing import Any

from django.db import migrations, models


def clear(apps: Any, _editor: Any) -> None:
    """patients.search.stream_keys.fill_after_migrate() fills what is empty."""
    apps.get_model("patients", "StreamKey").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0005_stream_keys"),
    ]

    operations = [
        migrations.RunPython(clear, clear),
        migrations.AlterField(
            model_name="streamkey",
            name="kind",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "Name"), (1, "Birth"), (2, "Word")], editable=False
            ),
        ),
    ]
