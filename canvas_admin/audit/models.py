"""The audit trail's rows, their seals, and the counters of rationed acts."""

from django.db import models

from canvas_admin.records import clock


class AuditRow(models.Model):
    """One line of the trail; the rows of one act share `event` (DESIGN section 9).

    Keys are text without foreign keys: a row stays true whatever becomes of what it
    names. The first row of an act has no patient, then comes one row per patient shown
    or changed, with the access path that allowed it.
    """

    class Outcome(models.TextChoices):
        SHOWN = "shown"
        DONE = "done"
        REFUSED = "refused"

    event = models.CharField(max_length=32, db_index=True)
    recorded = models.DateTimeField(default=clock.now, db_index=True)
    actor = models.CharField(max_length=32, blank=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8, choices=Outcome)
    patient = models.CharField(max_length=64, blank=True)
    access_path = models.CharField(max_length=32, blank=True)
    subject = models.CharField(max_length=100, blank=True)
    detail = models.JSONField(default=dict)
    correlation = models.CharField(max_length=36, blank=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "recorded"], name="audit_by_patient"),
            models.Index(fields=["actor", "recorded"], name="audit_by_actor"),
        ]
        verbose_name = "audit row"

    def __str__(self) -> str:
        return f"{self.action} {self.outcome}"


class Seal(models.Model):
    """A batch of audit rows of one month, proven by a key that the database lacks.

    The rows are named by their exact ids, as `ranges` of them (JSON), because PostgreSQL
    gives ids before it commits: a row may appear behind later ones that are sealed
    already, and is then sealed late. `marks` are the beginnings of the rows' digests, by
    which an altered row is told from its neighbours. Instants are text, so that a seal
    covers each column as it is stored. See audit.seals.
    """

    number = models.PositiveBigIntegerField(unique=True)
    month = models.CharField(max_length=7, db_index=True)
    first_row = models.BigIntegerField()
    last_row = models.BigIntegerField(db_index=True)
    rows = models.PositiveIntegerField()
    ranges = models.TextField()
    digest = models.CharField(max_length=64)
    marks = models.TextField()
    sealed = models.CharField(max_length=32, db_index=True)
    previous = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)
    # Says, and proves, that the rows are in an archive and no longer here.
    archived = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "seal of audit rows"
        verbose_name_plural = "seals of audit rows"
        default_permissions = ()

    def __str__(self) -> str:
        return f"seal {self.number}"


class RationedUse(models.Model):
    """One use of an act that each person may do only so often; see audit.ration."""

    actor = models.CharField(max_length=32)
    act = models.CharField(max_length=32)
    used = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["actor", "act", "used"], name="ration_lookup")]

    def __str__(self) -> str:
        return self.act
