"""What a FHIR Practitioner says of a staff member, checked by the rules of facts 5.2."""

from collections.abc import Sequence
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import id_in, names_nobody, required
from canvas_admin.fhir.resources import KEY, Json
from canvas_admin.fhir.rows import Values, fit, limited, take
from canvas_admin.fhir.telecom import contact_points
from staffing.fhir.practitioner import NPI, name_of
from staffing.models import Location, Staff, StaffContactPoint, User

EXTENSIONS = "http://schemas.canvasmedical.com/fhir/extensions/"
ROLES = f"{EXTENSIONS}roles"
ROLE = "http://schemas.canvasmedical.com/fhir/roles"
USERNAME = f"{EXTENSIONS}practitioner-user-username"
# As later pages of the original name it.
USERNAMES = (USERNAME, f"{EXTENSIONS}username")
LOCATION = f"{EXTENSIONS}practitioner-primary-practice-location"
System, Use = StaffContactPoint.System, StaffContactPoint.Use


class Said:
    """What a Practitioner says in our terms.

    Raises Rejected for what is missing or malformed.
    """

    def __init__(self, data: Json) -> None:
        self.active: bool | None = data.get("active")
        extensions = limited(data.get("extension"), "body -> extension")
        self.fields = fit(Staff, _name(data), "body -> name")
        self.fields |= {"date_of_birth": _birth_date(data), "npi": _npi(data)}
        self.contact_points, self.email = _telecom(data)
        self.codes = _role_codes(extensions)
        self.username = _wanted_name(extensions)
        self.location = elements.extension(
            {"extension": extensions}, LOCATION, "valueReference"
        )

    def put_into(self, staff: Staff) -> None:
        """Let the person be so; saves nothing. Raises Problem (422) for no such place."""
        take(staff, self.fields)
        key = id_in(self.location, "Location", KEY, "extension -> valueReference")
        if key is None:
            staff.primary_location = None
            return
        place = Location.objects.filter(key=key).first()
        if place is None or not (place.active or place == staff.primary_location):
            raise names_nobody("Location", key)
        staff.primary_location = place


def _name(data: Json) -> Values:
    names = limited(data.get("name"), "body -> name")
    if not names:
        raise required("name")
    if len(names) > 1 or names[0].get("use") != "usual":
        raise Rejected("body -> name — is one name, with use 'usual'")
    for part in ("family", "given"):
        said = names[0].get(part) or []
        if not elements.words([said] if isinstance(said, str) else said):
            raise required(f"name -> 0 -> {part}")
    return name_of(names)


def _birth_date(data: Json) -> Any:
    if not data.get("birthDate"):
        raise required("birthDate")
    day, precision = elements.day(data["birthDate"], "body -> birthDate")
    if precision != "day":
        raise Rejected("body -> birthDate — is a whole date: YYYY-MM-DD")
    return fit(Staff, {"date_of_birth": day}, "body -> birthDate")["date_of_birth"]


def _npi(data: Json) -> str:
    identifiers = limited(data.get("identifier"), "body -> identifier")
    found = [e.get("value") or "" for e in identifiers if e.get("system") == NPI]
    if len(found) > 1:
        raise Rejected("body -> identifier — has more than one NPI")
    npi = "".join(found)
    if found and not (len(npi) == 10 and _digits(npi)):
        raise Rejected("body -> identifier — an NPI has exactly 10 digits")
    return npi


def _telecom(data: Json) -> tuple[list[Values], str]:
    """The contact points, and the address among them that the account gets."""
    for at, each in enumerate(limited(data.get("telecom"), "body -> telecom")):
        for part in ("system", "value", "use", "rank"):
            if not each.get(part):
                raise required(f"telecom -> {at} -> {part}")
        if each["system"] == System.PHONE and not _digits(each["value"]):
            raise Rejected(f"body -> telecom -> {at} -> value — a phone is digits only")
        if each["system"] == System.EMAIL:
            fit(User, {"email": each["value"]}, f"body -> telecom -> {at} -> value")
    found = contact_points(data, StaffContactPoint, Use.WORK)
    if not any((p["system"], p["use"]) == (System.PHONE, Use.WORK) for p in found):
        raise Rejected("body -> telecom — has at least one phone with use 'work'")
    first = [p for p in found if (p["system"], p["rank"]) == (System.EMAIL, 1)]
    if len(first) != 1:
        raise Rejected("body -> telecom — has exactly one email with rank 1")
    return found, first[0]["value"]


def _role_codes(extensions: Sequence[Json]) -> set[str]:
    """The internal codes of the roles."""
    found = set()
    for at, each in enumerate(extensions):
        if each.get("url") != ROLES:
            continue
        coding = elements.extension(each, "code", "valueCoding") or {}
        if not coding.get("code"):
            raise required(f"extension -> {at} -> extension -> valueCoding -> code")
        if coding.get("system") not in (None, ROLE):
            raise Rejected(
                f"body -> extension -> {at} -> extension -> valueCoding -> system — "
                f"is {ROLE}"
            )
        found.add(coding["code"])
    return found


def _wanted_name(extensions: Sequence[Json]) -> str:
    """The user name that is said, however it is typed; "" for none."""
    said = [e.get("valueString") or "" for e in extensions if e.get("url") in USERNAMES]
    names = {User.normalize_username(name).lower() for name in said if name}
    if len(names) > 1:
        raise Rejected("body -> extension — says more than one user name")
    return "".join(names)


def first_and_last(fields: Values) -> str:
    """The name of an account that is named by nobody: mariagarcia (facts 5.2)."""
    name = User.normalize_username(fields["first_name"] + fields["last_name"]).lower()
    found = "".join(letter for letter in name if letter.isalnum())
    if not found:
        raise required("extension -> valueString")
    return found


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
