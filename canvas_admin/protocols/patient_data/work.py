"""The tasks about a patient, and what was put off (facts 7.2)."""

from django.db.models import Prefetch

from canvas_admin.protocols.models import ProtocolOverride
from canvas_admin.protocols.patient_data.shapes import Json, full_name, instant
from patients.access import Reach
from patients.models import Patient
from tasks.models import Task, TaskComment


def tasks(patient: Patient, reach: Reach) -> list[Json]:
    """People and teams by their names, comments newest first, labels as texts."""
    comments = TaskComment.objects.select_related("author").order_by("-written", "-pk")
    rows = Task.objects.visible_to(reach).filter(patient=patient).with_people()
    rows = rows.select_related("creator").prefetch_related(
        Prefetch("comments", comments)
    )
    return [
        {
            "id": row.pk,
            "taskType": "Task",
            "creator": full_name(row.creator),
            "assignee": full_name(row.assignee),
            "team": row.team.name if row.team else "",
            "internalComment": "",
            "comments": [
                {
                    "id": each.pk,
                    "created": instant(each.written),
                    "body": each.text,
                    "creator": full_name(each.author),
                }
                for each in row.comments.all()
            ],
            "labels": [label.name for label in row.labels.all()],
            "externallyExposableId": str(row.externally_exposable_id),
            "created": instant(row.created),
            "modified": instant(row.modified),
            "tag": "",
            "title": row.title,
            "due": instant(row.due),
            "status": row.status,
        }
        for row in rows.order_by("pk")
    ]


def overrides(patient: Patient, reach: Reach) -> list[Json]:
    """Which protocols somebody has put off, until when."""
    rows = ProtocolOverride.objects.visible_to(reach).filter(patient=patient)
    return [
        {
            "protocolKey": row.protocol.name,
            "adjustment": None,
            "snooze": {"reference": instant(row.since), "snoozedDays": row.days},
            "modified": instant(row.modified),
        }
        for row in rows.select_related("protocol")
        if row.in_force
    ]
