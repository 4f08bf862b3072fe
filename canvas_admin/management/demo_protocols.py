"""The demo clinic's protocol: one that shows cards in charts, and changes nothing."""

from pathlib import Path

from canvas_admin.audit import trail
from canvas_admin.protocols import examples, uploading
from canvas_admin.protocols.models import Protocol
from staffing.groups import ALL_PATIENTS, managed_group

BY = trail.Command("load_demo")
EXAMPLE = Path(examples.__file__).parent / "yearly_vital_signs.py"
GROUPS = (ALL_PATIENTS, "clinical-read")


def make_protocol() -> None:
    """Upload and switch it on, unless there is a protocol.

    Where nothing can be run at arm's length there is none, and the clinic is complete.
    """
    if Protocol.objects.exists():
        return
    try:
        protocol = uploading.upload(EXAMPLE.read_bytes(), BY).protocol
    except uploading.CannotCheck:
        return
    for code in GROUPS:
        protocol.application.staff.grant(managed_group(code), by=BY)
    uploading.switch(protocol, True, BY)
