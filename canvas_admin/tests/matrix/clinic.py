"""The clinic in which the matrix is asked: ada with a row of everything, and one person."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from canvas_admin.testing import make_staff
from canvas_admin.tests.addresses import address, every_name, furnish
from canvas_admin.tests.matrix.expected import TWELVE, belongs_to
from canvas_admin.tests.matrix.filling import Form, read
from canvas_admin.tests.matrix.observing import Observer
from patients.models import AdministrativeDocument, ConsentCoding
from staffing.groups import managed_group
from staffing.models import CareTeamRole, Staff

# Asking these ends the session, so that all later answers would be others.
END_OF_SESSION = {"account_logout", "admin:logout"}


class Clinic:
    """ada is in North; pat is a person whose groups are given and taken."""

    def __init__(self, cast: SimpleNamespace) -> None:
        self.cast = furnish(cast)
        self.pat = make_staff("pat")
        self.groups = {code: managed_group(code) for code in TWELVE}
        _more_to_choose(cast)
        self.addresses = {
            name: address(name, cast)
            for name in every_name()
            if name not in END_OF_SESSION
        }
        self.marks = {
            patient.last_name: patient.key for patient in (cast.ada, cast.ben, cast.cyn)
        }
        self.session = self.sign_in(frozenset(TWELVE), reached=True)
        self.forms = self._forms()

    def sign_in(self, groups: frozenset[str], *, reached: bool) -> Client:
        """pat, now with these groups, and with North or not."""
        self.hold([self.groups[code] for code in groups], reached=reached)
        client = Client()
        client.force_login(self.pat.user, backend="staffing.backends.StaffBackend")
        return client

    def hold(self, groups: list[Group], *, reached: bool) -> Staff:
        """Give pat these groups and take all others."""
        wanted = [*groups, *([self.cast.north.auth_group] if reached else [])]
        for group in self.pat.user.groups.all():
            if group not in wanted:
                self.pat.revoke(group)
        for group in wanted:
            self.pat.grant(group)
        return self.pat

    def observer(self, session: Client) -> Observer:
        return Observer(session, self.marks)

    def _forms(self) -> list[Form]:
        """What somebody with the twelve meets: forms of the twelve's areas."""
        pages = [
            page
            for name, page in self.addresses.items()
            if belongs_to(name) not in ("own", "administration")
        ]
        return read(self.session, pages)


def _more_to_choose(cast: Any) -> None:
    """Choices that ada does not have yet, and a file behind her documents."""
    ConsentCoding.objects.create(code="photo", display="Photo")
    CareTeamRole.objects.create(code="x2", display="Other")
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    (Path(settings.MEDIA_ROOT) / "paper").write_bytes(b"%PDF-1.4 about Alvarez")
    papers = AdministrativeDocument.objects.filter(patient=cast.ada)
    papers.update(file="paper", media_type="application/pdf")
