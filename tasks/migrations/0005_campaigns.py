import canvas_admin.records.clock
import canvas_admin.records.models
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0017_shelves'),
        ('staffing', '0003_starting_lists'),
        ('tasks', '0003_no_sort_due'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(default=canvas_admin.records.models.new_key, editable=False, max_length=32, unique=True, verbose_name='key')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('title', models.CharField(max_length=500, verbose_name='title')),
                ('due', models.DateTimeField(blank=True, null=True, verbose_name='due')),
                ('priority', models.CharField(blank=True, choices=[('stat', 'Stat'), ('urgent', 'Urgent'), ('routine', 'Routine')], max_length=7, verbose_name='priority')),
                ('created', models.DateTimeField(default=canvas_admin.records.clock.now, editable=False)),
                ('state', models.CharField(choices=[('making', 'Tasks are being made'), ('running', 'Under way'), ('ending', 'Is being ended'), ('ended', 'Ended')], default='making', editable=False, max_length=7)),
                ('position', models.BigIntegerField(default=0, editable=False)),
                ('ended', models.DateTimeField(editable=False, null=True)),
                ('creator', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='staffing.staff')),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staffing.staff')),
                ('labels', models.ManyToManyField(related_name='campaigns', to='tasks.tasklabel', verbose_name='labels')),
                ('patient_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='patients.patientgroup', verbose_name='patient group')),
            ],
            options={
                'verbose_name': 'campaign',
                'ordering': ['-created', '-id'],
                'indexes': [models.Index(fields=['created', 'id'], name='campaign_by_age')],
            },
        ),
        migrations.AddField(
            model_name='task',
            name='campaign',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='tasks.campaign'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('campaign__isnull', False)), fields=['campaign', 'status', 'id'], name='task_of_campaign'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(fields=('campaign', 'patient'), name='task_once_a_campaign'),
        ),
    ]
