"""A key's place is one column; all keys are taken out, to be made anew after migrating."""

from typing import Any

from django.db import migrations, models

import canvas_admin.records.models


def clear(apps: Any, _editor: Any) -> None:
    """patients.search.stream_keys.fill_after_migrate() fills what is empty."""
    apps.get_model("patients", "StreamKey").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0006_word_keys"),
    ]

    operations = [
        migrations.RunPython(clear, clear),
        migrations.RemoveIndex(model_name="streamkey", name="stream_key_order"),
        migrations.RemoveField(model_name="streamkey", name="word"),
        migrations.RemoveField(model_name="streamkey", name="sort_name"),
        migrations.AddField(
            model_name="streamkey",
            name="place",
            field=canvas_admin.records.models.BytewiseCharField(
                default="", editable=False, max_length=481
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="streamkey",
            index=models.Index(
                fields=["stream", "kind", "place", "patient", "words"],
                name="stream_key_order",
            ),
        ),
    ]
