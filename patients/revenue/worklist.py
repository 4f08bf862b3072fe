"""The claims of the worklist, a sort of patients.search.proposed: the latest service first."""

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from patients import access
from patients.models import Claim, ClaimSnooze
from patients.models.claim_keys import kind_of
from patients.models.work_keys import ANYBODY, person, stream_of
from patients.revenue.claim_keys import place_of
from patients.search import scans
from patients.search.proposed import Proposed
from staffing.models import Staff

KEYS = scans.Table("patients_claimkey", "item")


@dataclass(frozen=True)
class Worklist(Proposed):
    """The claims within a reach in one state, or, without one, all but the trash.

    Of one provider, or whosever they are.
    """

    reach: access.Reach
    state: str = ""
    provider: Staff | None = None

    model = Claim
    backwards = True

    def scan(self) -> scans.Scan:
        return scans.Scan(kind_of(self.state), "", scans.END, table=KEYS)

    def streams(self) -> list[int]:
        whose = person(self.provider.pk) if self.provider else ANYBODY
        return [stream_of(whose, source) for source in access.streams(self.reach)]

    def confirmed(self, pks: list[int]) -> QuerySet:
        rows = Claim.objects.filter(pk__in=pks)
        rows = rows.filter(state=self.state) if self.state else rows.counted()
        if self.provider:
            rows = rows.filter(provider=self.provider)
        return rows

    def with_rest(self, rows: QuerySet) -> QuerySet:
        going_on = ClaimSnooze.objects.filter(ended__isnull=True)
        waiting = Prefetch("snoozes", going_on, to_attr="waiting")
        rows = rows.select_related("coverage", "provider").prefetch_related(waiting)
        return rows.with_totals()

    def place(self, row: Claim) -> str:
        return place_of(row.service_date, row.pk)
