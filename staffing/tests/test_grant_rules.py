"""The role and grant rules of S2 and DESIGN section 5, in random sequences of acts.

A model in plain Python (sets of names) predicts after every act which auth groups each
person holds, which changes were recorded, and which permissions are alive.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from canvas_admin.tests import proof
from patients.models import PatientGroup
from staffing.group_keeping import changing_holders, sync_managed_groups
from staffing.groups import BY_NAME, managed_group
from staffing.models import GroupChange, Role, Staff, StaffRole, User
from staffing.models.staff import SHELL, LastAdministrator

PARTS = proof.count(1, 10)
SEQUENCES = proof.count(40, 5_000) // PARTS

SP = "Staff Permissions"
MANAGED = ("Profile read", "Clinical read", "Tasking access", "All Patients", SP)
# A number; taken modulo the length, it points at one of the things there are.
which = st.integers(0, 11)


@dataclass
class Person:
    """What is known of a staff member. `holds` and `record` name auth groups by token:
    a managed group's name, or the number of a patient group.
    """

    row: Staff
    account: bool
    password: bool
    active: bool = True
    roles: set[int] = field(default_factory=set)
    holds: set[Any] = field(default_factory=set)
    record: list[tuple] = field(default_factory=list)

    @property
    def administers(self) -> bool:
        return self.account and self.password and self.active and SP in self.holds


@dataclass
class PatientGroupKnown:
    """What is known of a patient group."""

    row: PatientGroup
    name: str
    has_auth_group: bool
    retired: bool = False


class GrantRules(RuleBasedStateMachine):
    """The application and the model, side by side, in a transaction that is undone."""

    runs = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.people: list[Person] = []
        self.roles: list[tuple[Role, set]] = []
        self.groups: list[PatientGroupKnown] = []
        self.extra: dict[str, set[str]] = {}
        self.lacking: dict[str, set[str]] = {}
        self.renamed: dict[str, str] = {}
        self.intruders = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    # What there is ---------------------------------------------------------------

    def token(self, number: int) -> Any:
        """A managed group's name, or a patient group that has an auth group."""
        tokens = [*MANAGED, *(n for n, g in enumerate(self.groups) if g.has_auth_group)]
        return tokens[number % len(tokens)]

    def auth_group(self, token: Any) -> Group:
        if isinstance(token, str):
            return managed_group(BY_NAME[token].code)
        return PatientGroup.objects.get(pk=self.groups[token].row.pk).auth_group

    def name_of(self, token: Any) -> str:
        if isinstance(token, str):
            return self.renamed.get(token, token)
        return f"Patients: {self.groups[token].name}"

    def person(self, number: int) -> Person:
        return self.people[number % len(self.people)]

    def staff(self, person: Person) -> Staff:
        return Staff.objects.get(pk=person.row.pk)

    def others_administer(self, person: Person) -> bool:
        return any(p.administers for p in self.people if p is not person)

    def given(self, person: Person, token: Any, via: str, role: int | None) -> None:
        """The model of a grant: nothing for those who hold it, or have no account."""
        if person.account and token not in person.holds:
            person.holds.add(token)
            person.record.append((self.name_of(token), True, via, role))

    def given_by_role(self, person: Person, number: int) -> None:
        defaults = self.roles[number][1]
        for token in sorted(defaults, key=lambda t: self.auth_group(t).pk):
            self.given(person, token, "role", self.roles[number][0].pk)

    @initialize(furnished=st.sampled_from((True, True, True, False)))
    def start(self, furnished: bool) -> None:
        """Most sequences start in a small clinic, some in an empty one."""
        if furnished:
            self.make_a_patient_group(used=True)
            self.make_role(numbers=[0, len(MANAGED)])
            self.make_role(numbers=[1, MANAGED.index(SP)])
            self.make_staff(account=True, password=True, roles={0})
            self.make_staff(account=True, password=True, roles={1})

    # Roles -------------------------------------------------------------------------

    @precondition(lambda self: len(self.roles) < 4)
    @rule(numbers=st.lists(which, max_size=3))
    def make_role(self, numbers: list[int]) -> None:
        code = f"R{len(self.roles)}"
        role = Role.objects.create(internal_code=code, name=code, domain="CLI")
        defaults = {self.token(n) for n in numbers}
        role.default_auth_groups.set(self.auth_group(token) for token in defaults)
        self.roles.append((role, defaults))

    @precondition(lambda self: self.roles)
    @rule(role=which, group=which, adds=st.booleans())
    def edit_the_defaults_of_a_role(self, role: int, group: int, adds: bool) -> None:
        row, defaults = self.roles[role % len(self.roles)]
        token = self.token(group)
        if adds:
            row.default_auth_groups.add(self.auth_group(token))
            defaults.add(token)
        else:
            row.default_auth_groups.remove(self.auth_group(token))
            defaults.discard(token)

    @precondition(lambda self: len(self.people) < 5)
    @rule(
        account=st.booleans(), password=st.booleans(), roles=st.sets(which, max_size=2)
    )
    def make_staff(self, account: bool, password: bool, roles: set[int]) -> None:
        row = Staff(first_name="A", last_name="B")
        if account:
            row.user = self.new_account(password)
        row.save()
        self.people.append(Person(row, account, password))
        for number in sorted(
            {n % len(self.roles) for n in roles} if self.roles else ()
        ):
            self.assign(self.people[-1], number)

    def new_account(self, password: bool) -> User:
        user = User.objects.create_user(f"u{User.objects.count()}")
        if password:
            User.objects.filter(pk=user.pk).update(password="md5$a$b")
        return user

    def assign(self, person: Person, number: int) -> None:
        role = Role.objects.get(pk=self.roles[number][0].pk)
        StaffRole(staff=self.staff(person), role=role).save()
        person.roles.add(number)
        self.given_by_role(person, number)

    @precondition(lambda self: self.people and self.roles)
    @rule(person=which, role=which)
    def add_a_role(self, person: int, role: int) -> None:
        known, number = self.person(person), role % len(self.roles)
        if number not in known.roles:
            self.assign(known, number)

    @precondition(lambda self: any(p.roles for p in self.people))
    @rule(person=which, role=which)
    def take_a_role(self, person: int, role: int) -> None:
        known = self.person(person)
        if known.roles:
            number = sorted(known.roles)[role % len(known.roles)]
            known.row.staff_roles.get(role=self.roles[number][0]).delete()
            known.roles.remove(number)

    @precondition(lambda self: any(not p.account for p in self.people))
    @rule(password=st.booleans())
    def link_an_account_later(self, password: bool) -> None:
        known = next(p for p in self.people if not p.account)
        staff = self.staff(known)
        staff.user = self.new_account(password)
        staff.save()
        known.account, known.password = True, password
        held = known.row.staff_roles.select_related("role")
        for row in held:
            number = next(
                n for n, (role, _d) in enumerate(self.roles) if role == row.role
            )
            self.given_by_role(known, number)

    # By hand -------------------------------------------------------------------------

    @precondition(lambda self: self.people)
    @rule(person=which, group=which)
    def grant(self, person: int, group: int) -> None:
        known, token = self.person(person), self.token(group)
        if not known.account:
            with pytest.raises(ValidationError):
                self.staff(known).grant(self.auth_group(token))
            return
        assert self.staff(known).grant(self.auth_group(token)) == (
            token not in known.holds
        )
        self.given(known, token, "hand", None)

    @precondition(lambda self: any(p.holds for p in self.people))
    @rule(person=which, group=which)
    def revoke(self, person: int, group: int) -> None:
        holders = [p for p in self.people if p.holds]
        known = holders[person % len(holders)]
        token = sorted(known.holds, key=str)[group % len(known.holds)]
        last = token == SP and known.administers and not self.others_administer(known)
        if last:
            with pytest.raises(LastAdministrator):
                self.staff(known).revoke(self.auth_group(token))
            return
        assert self.staff(known).revoke(self.auth_group(token))
        known.holds.remove(token)
        known.record.append((self.name_of(token), False, "hand", None))
        assert not self.staff(known).revoke(self.auth_group(token))

    @precondition(lambda self: self.people)
    @rule(person=which, active=st.booleans())
    def deactivate_or_activate(self, person: int, active: bool) -> None:
        known = self.person(person)
        staff = self.staff(known)
        staff.active = active
        if known.administers and not active and not self.others_administer(known):
            with pytest.raises(LastAdministrator):
                staff.save()
            return
        staff.save()
        known.active = active

    # Patient groups --------------------------------------------------------------------

    @precondition(lambda self: len(self.groups) < 4)
    @rule(used=st.booleans())
    def make_a_patient_group(self, used: bool) -> None:
        name = f"G{len(self.groups)}"
        row = PatientGroup(name=name, use_for_permissions=used)
        row.save()
        self.groups.append(PatientGroupKnown(row, name, used))

    @precondition(lambda self: any(not g.retired for g in self.groups))
    @rule(group=which, used=st.booleans(), renames=st.booleans())
    def switch_and_rename(self, group: int, used: bool, renames: bool) -> None:
        alive = [g for g in self.groups if not g.retired]
        known = alive[group % len(alive)]
        row = PatientGroup.objects.get(pk=known.row.pk)
        row.use_for_permissions = used
        if renames:
            row.name = known.name = f"{known.name}x"
        row.save()
        known.has_auth_group |= used

    @precondition(lambda self: any(not g.retired for g in self.groups))
    @rule(group=which)
    def retire(self, group: int) -> None:
        alive = [n for n, g in enumerate(self.groups) if not g.retired]
        token = alive[group % len(alive)]
        name = self.name_of(token)
        PatientGroup.objects.get(pk=self.groups[token].row.pk).retire()
        self.groups[token].retired, self.groups[token].has_auth_group = True, False
        for _role, defaults in self.roles:
            defaults.discard(token)
        for known in self.people:
            if token in known.holds:
                known.holds.remove(token)
                known.record.append((name, False, "retired", None))

    # Drift and its repair ------------------------------------------------------------------

    @rule(group=st.sampled_from(MANAGED), adds=st.booleans())
    def somebody_alters_the_permissions_in_the_database(
        self, group: str, adds: bool
    ) -> None:
        through = Group.permissions.through
        row = managed_group(BY_NAME[group].code)
        if adds:
            permission = Permission.objects.get(codename="delete_patient")
            through.objects.bulk_create(
                [through(group=row, permission=permission)], ignore_conflicts=True
            )
            self.extra[group] = {"patients.delete_patient"}
        else:
            through.objects.filter(group=row).delete()
            self.lacking[group] = set(BY_NAME[group].permissions)
            self.extra.pop(group, None)

    @rule(group=st.sampled_from(MANAGED))
    def somebody_renames_in_the_database(self, group: str) -> None:
        if group not in self.renamed:
            Group.objects.filter(managed__code=BY_NAME[group].code).update(
                name="Odd " + group
            )
            self.renamed[group] = "Odd " + group
            Group.objects.bulk_create([Group(name=group)])
            self.intruders += 1

    @rule()
    def sync(self) -> None:
        repairs = sync_managed_groups()
        # A group without permissions has none to lose.
        lacking = [group for group, names in self.lacking.items() if names]
        assert bool(repairs) >= bool(self.renamed or self.extra or lacking)
        self.extra, self.lacking, self.renamed = {}, {}, {}
        assert sync_managed_groups() == []

    # What must hold after every act ---------------------------------------------

    @invariant()
    def everybody_holds_what_was_predicted(self) -> None:
        pks = {self.auth_group(t).pk: t for p in self.people for t in p.holds}
        for known in self.people:
            staff = Staff.objects.select_related("user").get(pk=known.row.pk)
            assert staff.active == known.active
            if not known.account:
                assert staff.user is None
                continue
            held = staff.user.groups.values_list("pk", flat=True)
            assert {pks.get(pk, pk) for pk in held} == known.holds
            assert staff.user.is_active == known.active
            assert staff.user.get_all_permissions() == self.alive(known)

    @invariant()
    def every_change_was_recorded(self) -> None:
        for known in self.people:
            if known.account:
                rows = GroupChange.objects.filter(user__staff=known.row).order_by("id")
                fields = ("group_name", "added", "via", "role")
                assert list(rows.values_list(*fields)) == known.record

    @invariant()
    def the_auth_groups_are_named_after_what_they_are_for(self) -> None:
        for number, known in enumerate(self.groups):
            if known.has_auth_group:
                assert self.auth_group(number).name == self.name_of(number)
        expected = len(BY_NAME) + sum(g.has_auth_group for g in self.groups)
        assert Group.objects.count() == expected + self.intruders

    @invariant()
    def somebody_can_administer_once_somebody_could(self) -> None:
        if any(p.administers for p in self.people):
            able = User.objects.able_to_sign_in()
            assert able.filter(groups__managed__code=BY_NAME[SP].code).exists()

    def alive(self, known: Person) -> set[str]:
        """The permissions that the person's groups give now."""
        if not known.active:
            return set()
        alive: set[str] = set()
        for token in known.holds:
            if isinstance(token, str):
                declared = set(BY_NAME[token].permissions)
                alive |= declared - self.lacking.get(token, set())
                alive |= self.extra.get(token, set())
        return alive


def run(machine: type[GrantRules], sequences: int, *phases: Phase) -> None:
    """Run sequences of acts; raises at the first that goes otherwise than predicted."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=15,
            phases=phases,
            deadline=None,
            report_multiple_bugs=False,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_grants_follow_the_role_rules_in_every_sequence(part):
    machine = seed(proof.seed() + part)(type("Seeded", (GrantRules,), {"runs": 0}))
    start, failures = time.monotonic(), 1
    try:
        run(machine, SEQUENCES, Phase.generate, Phase.shrink)
        failures = 0
    finally:
        proof.record(
            "grants",
            connection.vendor,
            proof.SEED,
            machine.runs,
            failures,
            time.monotonic() - start,
            part=str(part),
        )


# The test of the test --------------------------------------------------------------


def roles_give_nothing(patch):
    patch.setattr(StaffRole, "give_defaults", lambda self, by: None)


def a_removed_role_takes_its_groups(patch):
    def delete(self):
        with changing_holders():
            self.staff.user.groups.remove(*self.role.default_auth_groups.all())

    patch.setattr(StaffRole, "delete", delete)


def edited_defaults_reach_those_who_have_the_role(patch):
    real = Staff.grant

    def grant(self, *args, **kwargs):
        given = real(self, *args, **kwargs)
        for held in self.staff_roles.all():
            for group in held.role.default_auth_groups.all():
                real(self, group, SHELL, GroupChange.Via.ROLE, held.role)
        return given

    patch.setattr(Staff, "grant", grant)


def grants_leave_no_record(patch):
    patch.setattr(Staff, "_record", lambda *args, **kwargs: None)


def the_last_administrator_may_go(patch):
    patch.setattr(Staff, "_leave_an_administrator", lambda self: None)


NURSE, OFFICE = 0, 1
NURSES_ROLE, OFFICES_ROLE = 0, 1
TASKING = MANAGED.index("Tasking access")

# What is broken, and acts in the small clinic that must show it.
MUTATIONS = (
    (roles_give_nothing, [("add_a_role", NURSE, OFFICES_ROLE)]),
    (a_removed_role_takes_its_groups, [("take_a_role", NURSE, NURSES_ROLE)]),
    (
        edited_defaults_reach_those_who_have_the_role,
        [
            ("edit_the_defaults_of_a_role", NURSES_ROLE, TASKING, True),
            ("grant", NURSE, MANAGED.index("All Patients")),
        ],
    ),
    (grants_leave_no_record, [("grant", NURSE, TASKING)]),
    (the_last_administrator_may_go, [("deactivate_or_activate", OFFICE, False)]),
)


def act_out(acts: list[tuple]) -> None:
    """The acts in the small clinic, judged after each as in a random sequence."""
    machine = GrantRules()
    try:
        machine.start(furnished=True)
        for name, *values in acts:
            getattr(machine, name)(*values)
            machine.everybody_holds_what_was_predicted()
            machine.every_change_was_recorded()
            machine.the_auth_groups_are_named_after_what_they_are_for()
            machine.somebody_can_administer_once_somebody_could()
    finally:
        machine.teardown()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mutation", "acts"), MUTATIONS, ids=lambda part: getattr(part, "__name__", "")
)
def test_the_machine_fails_when(mutation, acts, monkeypatch):
    act_out(acts)
    mutation(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        act_out(acts)
