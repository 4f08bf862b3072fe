"""Incoming files for tests: what is uploaded, and the forms that work on it."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from patients.models import IncomingFile

PDF = b"%PDF-1.4 a report %%EOF"
PNG = b"\x89PNG\r\n\x1a\n picture IEND"
INBOX = "/data-integration/"
HOLDER, LINKER = (
    ("Data integration access",),
    (
        "Data integration access",
        "Clinical write",
    ),
)


def form_of(client: Any, address: str) -> dict[str, str]:
    """The hidden values of the form at an address."""
    page = client.get(address).content.decode()
    return {
        name: page.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("form_token", "form_version")
    }


def upload(client: Any, *contents: bytes, **fields: Any) -> Any:
    """The answer to an upload of these files."""
    address = f"{INBOX}upload/"
    files = [
        SimpleUploadedFile(f"Ada Alvarez {number}.pdf", content)
        for number, content in enumerate(contents)
    ]
    data = form_of(client, address) | {"source": "fax", "comment": "", "uploads": files}
    return client.post(address, data | fields)


def uploaded(client: Any, content: bytes = PDF, **fields: Any) -> IncomingFile:
    """A new file in the inbox."""
    response = upload(client, content, **fields)
    assert response.status_code == 302, response.content.decode()
    return IncomingFile.objects.latest("pk")


def link(client: Any, file: IncomingFile, patient: Any, **fields: Any) -> Any:
    """The answer to linking a file to a patient, as a lab report unless told otherwise."""
    address = f"{INBOX}{file.key}/link/{patient.key}/"
    data = form_of(client, address) | {
        "kind": "lab",
        "title": "Metabolic panel",
        "day": "2024-05-06",
    }
    return client.post(address, data | fields)


def act(client: Any, file: IncomingFile, page: str, **fields: Any) -> Any:
    """The answer to one of the other forms of a file, such as "reject/"."""
    address = f"{INBOX}{file.key}/{page}"
    return client.post(address, form_of(client, address) | fields)
