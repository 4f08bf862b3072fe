"""The statement of what a patient owes: claims, what was paid, and the balance."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from patients.printing.blocks import MOST_ROWS, facts, heading, paragraph, table
from patients.printing.sheet import Sheet
from patients.printing.wording import day
from patients.revenue.balances import Balance
from patients.templatetags.patients import money


def statement(
    sheet: Sheet, claims: Sequence[Any], balance: Balance, phone: str
) -> None:
    """What is owed first, then each claim, the latest service first.

    S2 and facts 6.3: the phone is that of the team that collects payments.
    """
    heading(sheet, _("What is owed"))
    facts(sheet, _totals(claims, balance))
    _asking(sheet, phone)
    # A visit to come has a claim with nothing on it.
    told = [claim for claim in claims if claim.lines.all() or claim.postings.all()]
    if not told:
        paragraph(sheet, _("There is no claim."), quiet=True)
    for claim in told[:MOST_ROWS]:
        _claim(sheet, claim)
    if len(claims) > MOST_ROWS:
        said = _("Only the newest %(most)d claims are printed.") % {"most": MOST_ROWS}
        paragraph(sheet, said, style="B")


def _totals(claims: Sequence[Any], balance: Balance) -> Iterator[tuple[Any, Any]]:
    if len(claims) <= MOST_ROWS:
        for label, name in (
            (_("Charges"), "charges"),
            (_("Adjustments"), "adjusted"),
            (_("Payments"), "paid"),
        ):
            amounts = (getattr(claim, name) for claim in claims)
            yield label, money(sum(amounts, Decimal()))
    yield _("Balance"), money(balance.total)
    yield _("Of this, you owe now"), money(balance.of_patient)


def _asking(sheet: Sheet, phone: str) -> None:
    if phone:
        sheet.set_y(sheet.get_y() + 2)
        said = _("Questions about this statement? Call %(phone)s.") % {"phone": phone}
        paragraph(sheet, said, style="B")


def _claim(sheet: Sheet, claim: Any) -> None:
    about = {"number": claim.number, "day": day(claim.service_date)}
    heading(sheet, _("%(day)s, claim %(number)s") % about)
    payer = claim.coverage.payer_name if claim.coverage else _("The patient")
    facts(sheet, [(_("Payer"), payer), (_("State"), claim.get_state_display())])
    sheet.set_y(sheet.get_y() + 1)
    columns = [(_("Date"), 1.6), (_("Service or payment"), 6), (_("Amount"), 1.6)]
    rows = [
        *(_line(claim, line) for line in claim.lines.all()),
        *(_posting(posting) for posting in claim.postings.all()),
        ["", _("Balance of this claim"), money(claim.balance)],
    ]
    table(sheet, columns, rows, numbers=[2])


def _line(claim: Any, line: Any) -> list[str]:
    service = f"{line.code} {line.description}".strip()
    if line.units != 1:
        service = f"{service} × {line.units}"
    return [day(claim.service_date), service, money(line.charge)]


def _posting(posting: Any) -> list[str]:
    kind = posting.get_kind_display()
    return [day(posting.date), kind, money(-posting.amount)]
