"""The clinic in which the matrix is asked: ada with a row of everything, and one person."""

from functools import cache as kept
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import resolve, reverse
from pypdf import PdfWriter

from canvas_admin.testing import make_cast, make_staff
from canvas_admin.tests.addresses import address, every_name, furnish
from canvas_admin.tests.kept_rows import Keeper
from canvas_admin.tests.matrix.expected import TWELVE, belongs_to
from canvas_admin.tests.matrix.filling import Form, read
from canvas_admin.tests.matrix.observing import Observer
from canvas_admin.tests.signing_in import note_activity_ahead
from patients.models import ConsentCoding, IncomingFile, Plan
from patients.tests.notes import note_of, signed_note, write
from patients.tests.work import make_lab
from staffing.groups import managed_group
from staffing.models import CareTeamRole, Staff

# Asking these ends the session, so that all later answers would be others.
END_OF_SESSION = {"account_logout", "admin:logout"}


def make_clinic() -> SimpleNamespace:
    """The cast with a row of everything, and pat; what a Clinic needs to know of them."""
    cast = furnish(make_cast())
    cast.pat = make_staff("pat")
    _more_to_choose(cast)
    others, also = _in_other_states(cast)
    cast.addresses = {
        name: address(name, cast) for name in every_name() if name not in END_OF_SESSION
    } | {name: reverse(name, args=arguments) for name, arguments in others.items()}
    clinic = Clinic(cast)
    # What somebody with the twelve meets: forms of the twelve's areas.
    pages = [
        page
        for name, page in cast.addresses.items()
        if belongs_to(name) == "the twelve"
    ]
    cast.forms = read(clinic.session, pages, also)
    return cast


kept_clinic = Keeper(make_clinic)


class Clinic:
    """ada is in North; pat is a person whose groups are given and taken."""

    def __init__(self, cast: SimpleNamespace) -> None:
        """`cast` is what make_clinic() made, put back."""
        _put_files_behind_rows()
        self.cast, self.pat, self.addresses = cast, cast.pat, cast.addresses
        self.forms: list[Form] = getattr(cast, "forms", [])
        self.groups = {code: managed_group(code) for code in TWELVE}
        self.marks = {
            patient.last_name: patient.key for patient in (cast.ada, cast.ben, cast.cyn)
        }
        self.session = self.sign_in(frozenset(TWELVE), reached=True)

    def sign_in(self, groups: frozenset[str], *, reached: bool) -> Client:
        """pat, now with these groups, and with North or not."""
        self.hold([self.groups[code] for code in groups], reached=reached)
        client = Client(raise_request_exception=False)
        client.force_login(self.pat.user, backend="staffing.backends.StaffBackend")
        note_activity_ahead(client)
        return client

    def hold(self, groups: list[Group], *, reached: bool) -> Staff:
        """Give pat these groups and take all others."""
        north = [self.cast.north.auth_group] if reached else []
        return hold(self.pat, [*groups, *north])

    def observer(self, session: Client) -> Observer:
        return Observer(session, self.marks)

    def subject(self, url: str) -> str:
        """The key in an address by which it is within reach or not; "" without one."""
        return _subject(url)


def hold(staff: Staff, groups: list[Group]) -> Staff:
    """Give somebody these groups and take all others."""
    for group in staff.user.groups.all():
        if group not in groups:
            staff.revoke(group)
    for group in groups:
        staff.grant(group)
    return staff


@kept
def _subject(url: str) -> str:
    return resolve(urlsplit(url).path).kwargs.get("key", "")


def _in_other_states(cast: Any) -> tuple[dict[str, list[str]], list[str]]:
    """What can be done only when a row is in another state than furnish() leaves it in.

    Addresses with their arguments, and pages whose forms are read besides.
    """
    ada, begun = cast.ada, note_of(cast.ada, cast.nora)
    signed, plan = signed_note(ada, cast.nora, Plan), write(begun, Plan)
    plan.commit(cast.nora.user)
    reviewed, linked = make_lab(ada), make_lab(ada)
    reviewed.review(cast.nora, "seen")
    reviewed.save()
    IncomingFile.objects.filter(pk=cast.linked.pk).update(linked_row=linked.key)
    IncomingFile.objects.create(source="fax", size=1, state="rejected")
    of_signed = [ada.key, signed.key]
    addresses = {
        "patients:claim-note": of_signed,
        "patients:addendum": of_signed,
        "patients:error-command": [ada.key, begun.key, "plan", plan.key],
        "patients:sign-note": [ada.key, begun.key],
        "patients:undo-review": [ada.key, "labs", reviewed.key],
    }
    also = [
        reverse("patients:note", args=of_signed),
        reverse("patients:review", args=[ada.key, "labs", reviewed.key]),
        reverse("tasks:campaign", args=[cast.outreach.key]),
    ]
    return addresses, also


def _more_to_choose(cast: Any) -> None:
    """Choices that ada does not have yet, and a file behind her documents."""
    ConsentCoding.objects.create(code="photo", display="Photo")
    CareTeamRole.objects.create(code="x2", display="Other")


def _put_files_behind_rows() -> None:
    """Each row that has a file has one that names ada, but what is nobody's yet."""
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "paper").write_bytes(_pdf("about Alvarez"))
    (folder / "letter").write_bytes(_pdf("about somebody"))
    for model in apps.get_app_config("patients").get_models():
        names = {field.name for field in model._meta.concrete_fields}
        if {"file", "media_type"} <= names:
            name = "letter" if model is IncomingFile else "paper"
            model._base_manager.update(file=name, media_type="application/pdf")


def _pdf(title: str) -> bytes:
    """An empty page with this title."""
    writer, content = PdfWriter(), BytesIO()
    writer.add_blank_page(72, 72)
    writer.add_metadata({"/Title": title})
    writer.write(content)
    return content.getvalue()
