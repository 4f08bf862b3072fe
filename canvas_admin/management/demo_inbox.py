"""The demo clinic's data integration: files that wait, and some that are linked."""

from datetime import timedelta

from django.core.files.base import ContentFile
from django.db import transaction

from canvas_admin.records import clock
from patients import linking, uploads
from patients.models import IncomingFile, Patient
from staffing.models import Staff, Team

# (how it came, hours ago, comment, team, what is on the page)
FILES = (
    (
        "fax",
        2,
        "Two pages, from the laboratory",
        "Care coordination",
        ("Laboratory report", "Potassium 5.9 mmol/L (high)", "Creatinine 1.1 mg/dL"),
    ),
    ("scan", 20, "", "", ("Cardiology", "Consultation: no change of treatment")),
    ("fax", 45, "", "", ("Office chairs", "This week at half the price")),
)
# (who looks at it, as what, its title, and the file as above)
LINKED = (
    ("nora", "imaging", "Chest X-ray", ("portal", 70, "", "", ("Chest X-ray",))),
    ("nora", "consult", "Cardiology letter", ("scan", 66, "", "", ("Cardiology",))),
    ("sam", "other", "Discharge summary", ("fax", 61, "", "", ("Discharge summary",))),
    (
        "olga",
        "document-insurance",
        "Insurance card",
        ("scan", 58, "", "", ("Aetna, A 1234",)),
    ),
    (
        "olga",
        "document-consent",
        "Consent to treatment",
        ("scan", 57, "", "", ("Signed",)),
    ),
)


@transaction.atomic
def make_inbox(patients: dict[str, Patient]) -> None:
    """Fill the inbox, unless there was ever a file in it.

    The linked files are of these patients, by the user name of whoever reviews them.
    """
    if IncomingFile.objects.exists():
        return
    nora, office = (_staff(name) for name in ("nora", "max"))
    for plan in FILES:
        _make_file(plan, nora)
    for name, kind, title, plan in LINKED:
        file = _make_file(plan, office)
        day = (file.uploaded - timedelta(days=1)).date()
        wanted = linking.Wanted(linking.KINDS[kind], title, day, _staff(name))
        linking.link(file, patients[name], wanted, office)


def _staff(username: str) -> Staff:
    return Staff.objects.select_related("user").get(user__username=username)


def _make_file(plan: tuple, by: Staff) -> IncomingFile:
    source, hours, comment, team, lines = plan
    file = IncomingFile(
        source=source,
        comment=comment,
        uploaded=clock.now() - timedelta(hours=hours),
        uploaded_by=by,
        team=Team.objects.filter(name=team).first(),
    )
    linking.assigned(file)
    content = ContentFile(one_page(lines), name="page")
    file.keep(content, uploads.accept(content))
    file.save()
    return file


def one_page(lines: tuple[str, ...]) -> bytes:
    """A PDF of one page with these lines of plain ASCII."""
    said = " T* ".join(f"({line.translate(ESCAPED)}) Tj" for line in lines)
    text = f"BT /F1 14 Tf 72 720 Td 22 TL {said} ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    ).encode("ascii")


# What means something in a text of PDF.
ESCAPED = str.maketrans({"(": r"\(", ")": r"\)", "\\": r"\\"})
