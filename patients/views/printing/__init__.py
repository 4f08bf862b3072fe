"""What the links with "Print" in their title open (S2): pages as PDF.

Each prints the rows of its page, for whoever may open that page and print.
"""

from patients.views.printing.clinical import (
    print_chart,
    print_result,
    print_results,
    print_visit,
)
from patients.views.printing.desk import (
    print_appointments,
    print_document,
    print_profile,
    print_schedule,
)
from patients.views.printing.statement import print_statement, print_statements

__all__ = [
    "print_appointments",
    "print_chart",
    "print_document",
    "print_profile",
    "print_result",
    "print_results",
    "print_schedule",
    "print_statement",
    "print_statements",
    "print_visit",
]
