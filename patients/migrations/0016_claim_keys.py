import canvas_admin.records.models
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0015_printing'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClaimKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stream', models.BigIntegerField(editable=False)),
                ('kind', models.PositiveSmallIntegerField(editable=False)),
                ('place', canvas_admin.records.models.BytewiseCharField(editable=False, max_length=64)),
                ('item', models.BigIntegerField(editable=False)),
                ('patient', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='claim_keys', to='patients.patient')),
            ],
            options={
                'verbose_name': 'claim key',
                'default_permissions': (),
                'indexes': [models.Index(fields=['stream', 'kind', 'place', 'item'], name='claim_key_order'), models.Index(fields=['patient', 'item'], name='claim_key_of_patient')],
            },
        ),
        # Tasks have keys in three orders from now on: all are made again after migrate.
        migrations.RunSQL('DELETE FROM patients_workkey', migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='claim',
            name='claim_by_date',
        ),
        migrations.RemoveIndex(
            model_name='claim',
            name='claim_by_state',
        ),
        migrations.RemoveIndex(
            model_name='claim',
            name='claim_by_provider',
        ),
    ]
