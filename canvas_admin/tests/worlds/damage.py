"""Keys damaged on purpose: what is done to them, who has wrong ones, by whose account."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from django.db import transaction

from canvas_admin.tests.worlds import checks
from canvas_admin.tests.worlds.building import Built, at, build, draw
from canvas_admin.tests.worlds.oracle import Person
from patients.models import Patient
from patients.search import stream_keys
from patients.search.stream_keys import Book
from staffing.models import User

Asked = Callable[[Built, Person, User], Iterator[str]]


@dataclass(frozen=True)
class Trial:
    """Lists that are read by the keys of a book, tried on worlds whose keys are damaged.

    `rows` makes what the keys are about; `alterations` says what else a field of a key may
    say; `shown_wrongly` asks for what no damage may do, `compared` whether everything is
    as it must be once the keys are mended, `turn` by `turn`.
    """

    book: Book
    rows: Callable[[Random, Built], None]
    alterations: Callable[[Random, Built, Any], list[tuple[str, Any]]]
    shown_wrongly: Asked
    compared: Callable[[Built, Person, User, int], Iterator[str]]

    def judged(self, seed: int) -> list[str]:
        """What is wrong with a damaged world of this seed, which is rolled back."""
        rng = Random(seed)
        with transaction.atomic(), checks.as_if_many(seed):
            built = build(draw(rng), Random(seed))
            self.rows(rng, built)
            with at(built.world.now):
                for _ in range(rng.randint(1, 6)):
                    self._damage(rng, built)
                rows = User.objects.select_related("staff")
                people = [
                    (person, rows.get(pk=user.pk))
                    for person, user in zip(
                        built.world.people, built.users, strict=True
                    )
                ]
                wrong = [w for p in people for w in self.shown_wrongly(built, *p)]
                really = differing(built, self.book)
                if found_by_check(repair=True) != really or found_by_check():
                    wrong.append("the check finds other damage than there is")
                for turn, (person, user) in enumerate(people):
                    wrong += self.compared(built, person, user, turn + seed)
            transaction.set_rollback(True)
        return [f"world {seed}: {what}" for what in wrong]

    def _damage(self, rng: Random, built: Built) -> None:
        """A field of a key says something else, or the key is gone."""
        keys = self.book.model.objects
        if not (all_of_them := list(keys.all())):
            return
        key = rng.choice(all_of_them)
        about = keys.filter(pk=key.pk)
        altered = self.alterations(rng, built, key)
        choice = rng.choice(
            [*altered, ("patient_id", rng.choice(built.patients).pk), None]
        )
        if choice is None:
            about.delete()
        else:
            about.update(**dict([choice]))


def the_rule_is_not_asked(module: Any) -> Callable[[Any], None]:
    """A mutation: the rule, as this module asks it, opens everybody."""

    def unjudged(_reach: Any, patients: Any) -> dict[Patient, str]:
        rows = Patient.objects.filter(pk__in=patients)
        return dict.fromkeys(rows, "")

    def the_rule_is_not_asked(patch: Any) -> None:
        patch.setattr(module.access, "opened", unjudged)

    return the_rule_is_not_asked


def found_by_check(*, repair: bool = False) -> set[int]:
    """Whose keys check_access finds wrong, by primary key."""
    return {pk for _number, wrong in stream_keys.check(repair=repair) for pk in wrong}


def differing(built: Built, book: Book) -> set[int]:
    """Whose keys a plain rewriting of a book would change."""
    before = _keys(book)
    with transaction.atomic():
        book.model.objects.all().delete()
        stream_keys.refresh([p.pk for p in built.patients], book)
        after = _keys(book)
        transaction.set_rollback(True)
    pks = {pk for pk, *_key in before} | {pk for pk, *_key in after}
    return {
        pk
        for pk in pks
        if [k for k in before if k[0] == pk] != [k for k in after if k[0] == pk]
    }


def _keys(book: Book) -> list[tuple]:
    return sorted(book.model.objects.values_list("patient", *book.says._fields))
