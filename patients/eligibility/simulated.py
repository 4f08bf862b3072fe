"""The built-in payer: it asks nobody, and answers from member id and dates alone."""

import hashlib
from decimal import Decimal

from django.utils.translation import gettext as _

from patients.eligibility.payers import Answer, Inquiry, NoAnswer

PLANS = ("Bronze", "Silver", "Gold", "Platinum")
COPAYS = (0, 10, 20, 25, 30, 40, 50)


class SimulatedPayer:
    """For demonstrations and tests; every answer says that it is simulated.

    A member id that ends in 000 is not known, one in 999 gets no answer. A day outside
    the coverage's own dates is not covered. For the rest the same id gets the same plan
    and copay every time.
    """

    def check(self, inquiry: Inquiry, timeout: float) -> Answer:
        if inquiry.member_id.endswith("999"):
            raise NoAnswer(_("Simulated: the payer did not answer in time."))
        if inquiry.member_id.endswith("000"):
            message = _("Simulated: no member has this id.")
            return Answer("unknown", message=message)
        before = inquiry.start and inquiry.on < inquiry.start
        if before or (inquiry.end and inquiry.on > inquiry.end):
            message = _("Simulated: the coverage does not include this day.")
            return Answer("inactive", message=message)
        digest = hashlib.sha256(inquiry.member_id.encode()).digest()
        return Answer(
            "active",
            plan=PLANS[digest[0] % len(PLANS)],
            copay=Decimal(COPAYS[digest[1] % len(COPAYS)]),
            message=_("Simulated: no payer was asked."),
        )
