"""What a FHIR Practitioner that comes in makes of a staff member of ours (facts 5.2)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from canvas_admin.audit import trail
from canvas_admin.fhir import outcomes
from canvas_admin.fhir.resources import Json
from canvas_admin.fhir.rows import Values, fit
from staffing.accounts import mail_link
from staffing.api.practitioner_said import Said, first_and_last
from staffing.models import Role, Staff, StaffContactPoint, User
from staffing.models.staff import lock_administration
from staffing.permissions import grantable, powerful
from staffing.staff_keeping import save_staff


def create(request: Any, data: Json) -> Staff:
    """A new staff member with an account, which has no password yet.

    Raises Problem (422) for a user name that another account has.
    """
    said = Said(data)
    name = said.username or first_and_last(said.fields)
    fit(User, {"username": name}, "body -> extension")
    staff = Staff(active=said.active is not False)
    try:
        with transaction.atomic():
            if User.objects.filter(username=name).exists():
                raise _taken(name, generated=not said.username)
            said.put_into(staff)
            roles = _roles(said.codes)
            _refuse_powerful(roles)
            save_staff(
                staff,
                roles,
                request.user,
                username=name,
                email=said.email,
                request=request,
            )
            _write_contact_points(staff, said.contact_points)
            _record(request, "staff.added", staff)
    except IntegrityError as error:
        # Somebody made it at this moment.
        raise _taken(name, generated=not said.username) from error
    return staff


def update(
    request: Any, staff: Staff, data: Json, check: Callable[[Staff], None]
) -> Staff:
    """The staff member as said: what is left out is taken away (facts 5.2).

    But `active` and the user name, which never changes; the account keeps its own address,
    to which links are sent. A role that is left out takes no auth group with it (S2).
    """
    said = Said(data)
    with transaction.atomic():
        if said.active is False:
            lock_administration()
        staff = Staff.objects.select_for_update().get(pk=staff.pk)
        check(staff)
        _refuse_untouchable(staff)
        if said.username and said.username != _username(staff):
            raise outcomes.against_the_rules("A user name cannot be changed")
        held = list(Role.objects.filter(staff_roles__staff=staff))
        roles = _roles(said.codes)
        _refuse_powerful([role for role in roles if role not in held])
        switched = said.active is not None and said.active != staff.active
        if staff.user_id == request.user.pk and (switched or {*roles} != {*held}):
            raise ValidationError(
                "Nobody switches one's own account or changes its roles",
                code="own_account",
            )
        if switched and said.active:
            _refuse_to_open_much(staff)
        said.put_into(staff)
        if switched:
            staff.active = said.active
        save_staff(staff, roles, request.user)
        _write_contact_points(staff, said.contact_points)
        _record(request, "staff.changed", staff)
    return staff


def send_link(request: Any, staff: Staff) -> None:
    """Mail a one-time link to the address that is stored with the account (facts 5.2).

    Raises ValidationError for whom no administrator helps, Problem (422) for nobody who
    signs in.
    """
    _refuse_untouchable(staff)
    user = staff.user
    if user == request.user:
        raise ValidationError(
            "Nobody makes a link for one's own account", code="own_account"
        )
    if user is None or not user.may_sign_in or not user.email:
        raise outcomes.against_the_rules(
            "This person has no account in use with an e-mail address"
        )
    mail_link(request, user)


def _taken(name: str, generated: bool) -> outcomes.Problem:
    """In the words of facts 5.6."""
    if generated:
        return outcomes.against_the_rules(
            f"Cannot create Staff with default generated username `{name}` because Staff "
            "with same first name and last name already exists. Please provide unique "
            "username in payload."
        )
    return outcomes.against_the_rules(
        f"Cannot create Staff with username `{name}` because it already exists. Please "
        "provide unique username in payload."
    )


def _roles(codes: set[str]) -> list[Role]:
    """The roles with these codes, whose defaults stay as they are until the end.

    Call it in a transaction. Raises Problem, in the words of facts 5.6.
    """
    rows = Role.objects.select_for_update(no_key=True).filter(internal_code__in=codes)
    found = list(rows.order_by("pk"))
    if missing := sorted(codes - {role.internal_code for role in found}):
        names = ", ".join(repr(code[:40]) for code in missing)
        raise outcomes.against_the_rules(
            f"Cannot find {len(missing)} Staff role(s) for the given role_codes."
            f"Missing roles: {{{names}}}"
        )
    return found


def _refuse_untouchable(staff: Staff) -> None:
    """Raise ValidationError for a program, and for an operator (DESIGN section 5)."""
    if staff.service:
        raise ValidationError(
            "A program is changed with its application", code="program"
        )
    if staff.user and staff.user.is_superuser:
        raise ValidationError("An operator is not changed here", code="superuser")


def _refuse_powerful(roles: Sequence[Role]) -> None:
    """Raise ValidationError for a role that opens everything (DESIGN section 5).

    On the page somebody confirms what it opens.
    """
    for role in roles:
        if opened := powerful(grantable().filter(default_of_roles=role)):
            raise ValidationError(
                f"The role '{role.internal_code}' gives “{opened[0].name}”, so that it "
                "is assigned in the administration alone",
                code="powerful_role",
            )


def _refuse_to_open_much(staff: Staff) -> None:
    """Raise ValidationError for somebody inactive who holds what no role gives here."""
    if staff.user and (opened := powerful(grantable().filter(user=staff.user))):
        raise ValidationError(
            f"This person holds “{opened[0].name}”, and is activated in the "
            "administration alone",
            code="powerful_person",
        )


def _username(staff: Staff) -> str:
    return staff.user.username if staff.user else ""


def _write_contact_points(staff: Staff, wanted: list[Values]) -> None:
    """These and no others; what is there already stays."""
    wanted = list(wanted)
    for row in staff.contact_points.all():
        values = {
            name: getattr(row, name) for name in ("system", "value", "use", "rank")
        }
        if values in wanted:
            wanted.remove(values)
        else:
            row.delete()
    for values in wanted:
        StaffContactPoint.objects.create(staff=staff, **values)


def _record(request: Any, act: str, staff: Staff) -> None:
    trail.done(request.user, act, request=request, subject=f"staff/{staff.key}")
