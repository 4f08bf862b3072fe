from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(unique=True)),
                ('month', models.CharField(db_index=True, max_length=7)),
                ('first_row', models.BigIntegerField()),
                ('last_row', models.BigIntegerField(db_index=True)),
                ('rows', models.PositiveIntegerField()),
                ('ranges', models.TextField()),
                ('digest', models.CharField(max_length=64)),
                ('marks', models.TextField()),
                ('sealed', models.CharField(db_index=True, max_length=32)),
                ('previous', models.CharField(blank=True, max_length=64)),
                ('mac', models.CharField(max_length=64)),
                ('archived', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'verbose_name': 'seal of audit rows',
                'verbose_name_plural': 'seals of audit rows',
                'default_permissions': (),
            },
        ),
    ]
