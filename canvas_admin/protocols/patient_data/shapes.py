"""How the workflow kit's records say a moment, a person, a code (facts 7.2)."""

from datetime import UTC, date, datetime
from typing import Any

from patients.models.findings import ICD_10

Json = dict[str, Any]
KIT_ICD_10 = "ICD-10"


def instant(moment: datetime | None) -> str | None:
    """A moment in UTC, as "2022-07-01T20:44:27.591247Z"."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day(when: date | None) -> str | None:
    """A date, as "2022-07-01"."""
    return when and when.isoformat()


def coding(row: Any, system: str = "", **more: Any) -> Json:
    """The code of a row; the kit writes ICD-10 without its dot."""
    system, code = system or getattr(row, "system", ""), row.code
    if system == ICD_10:
        system, code = KIT_ICD_10, code.replace(".", "")
    said = {"system": system, "version": "", "code": code, "display": row.display}
    return {"id": row.pk, **said, **more}


def codings(row: Any, system: str = "", **more: Any) -> list[Json]:
    """A row's code, if it has one."""
    return [coding(row, system, **more)] if row.code else []


def full_name(staff: Any) -> str:
    """A staff member's name; "" where there is none."""
    return str(staff) if staff else ""


def person(staff: Any) -> Json | None:
    """A staff member as the kit's orders have one."""
    if staff is None:
        return None
    return {
        "firstName": staff.first_name,
        "lastName": staff.last_name,
        "key": staff.key,
        "nameAndRoles": full_name(staff),
    }
