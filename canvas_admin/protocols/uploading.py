"""Taking in a protocol: what it must be, its versions, and which of them is in use.

The rules are the workflow kit's (facts 7.6): one class a file, the same version only by
force, a number for what has none where that is wanted.
"""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.protocols.models import Protocol, ProtocolVersion, Recompute
from canvas_admin.protocols.models.protocols import LONGEST_SOURCE
from canvas_admin.protocols.sandbox import Died, Sandbox, Unavailable
from canvas_admin.records import clock
from staffing.models import Application

LONGEST_NAME = Protocol._meta.get_field("name").max_length
LONGEST_NUMBER = ProtocolVersion._meta.get_field("number").max_length
LONGEST_TEXT = 20_000


class Refused(Exception):
    """A text that cannot be a protocol, or not now; says why, and at which line."""

    def __init__(self, why: str, line: int | None = None) -> None:
        at = _("Line %(line)d: %(why)s") % {"line": line, "why": why} if line else why
        super().__init__(at)


class CannotCheck(Refused):
    """Nothing can be run at arm's length here, so that no text can be checked."""


def upload(
    data: bytes,
    by: Any,
    *,
    force: bool = False,
    auto_increment: bool = False,
    use: bool = True,
    compute: bool = True,
) -> ProtocolVersion:
    """Check a file and keep it as a new version of the protocol that it names.

    A name that is new makes the protocol, with a program of its own that holds no group yet.
    With `use` the version is the one in use from now on; then it computes over everybody,
    unless `compute` is off or it is for notifications alone. Raises Refused.
    """
    source = _text(data)
    declared = _declared(source)
    with transaction.atomic():
        protocol = _protocol(declared["name"], by)
        version = _version(protocol, declared["meta"], force, auto_increment)
        version.source, version.uploaded_by = source, _account(by)
        version.save()
        subject = f"protocol/{protocol.key}"
        trail.done(by, "protocol.uploaded", subject=subject, version=str(version))
        if use:
            put_to_use(version, by, compute=compute)
    return version


@transaction.atomic
def put_to_use(version: ProtocolVersion, by: Any, *, compute: bool = True) -> None:
    """Let this be the version that runs; what is active computes over everybody with it."""
    protocol = Protocol.objects.select_for_update().get(pk=version.protocol_id)
    protocol.current = version
    protocol.save()
    trail.done(
        by,
        "protocol.version_used",
        subject=f"protocol/{protocol.key}",
        version=str(version),
    )
    if compute and protocol.active:
        recompute(protocol, by)


@transaction.atomic
def switch(protocol: Protocol, active: bool, by: Any, *, compute: bool = True) -> None:
    """Let it run, or not any more. Switched on it computes over everybody."""
    protocol = Protocol.objects.select_for_update().get(pk=protocol.pk)
    changed, protocol.active = protocol.active != active, active
    protocol.save()
    if changed:
        act = "protocol.switched_on" if active else "protocol.switched_off"
        trail.done(by, act, subject=f"protocol/{protocol.key}")
    if not active:
        _stop_recomputing(protocol)
    elif changed and compute and protocol.current:
        recompute(protocol, by)


@transaction.atomic
def recompute(protocol: Protocol, by: Any) -> Recompute | None:
    """Ask for a run of its version in use over every active patient within its reach.

    One that goes on is stopped. None where it is for notifications alone.
    """
    _stop_recomputing(protocol)
    if protocol.current.notification_only:
        return None
    wanted = Recompute(version=protocol.current, wanted_by=_account(by))
    wanted.save()
    trail.done(by, "protocol.recompute", subject=f"protocol/{protocol.key}")
    return wanted


def _stop_recomputing(protocol: Protocol) -> None:
    going = Recompute.objects.filter(version__protocol=protocol, ended__isnull=True)
    going.filter(dry=False).update(ended=clock.now(), stopped=True)


def _text(data: bytes) -> str:
    if len(data) > LONGEST_SOURCE:
        most = {"most": LONGEST_SOURCE // 1024}
        raise Refused(_("The file has more than %(most)d KiB.") % most)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(_("The file is no text in UTF-8."), None) from error
    if "\x00" in text:
        raise Refused(_("The file is no text: it has a NUL character."))
    return text


def _declared(source: str) -> dict[str, Any]:
    """What the file says of itself, when it is loaded in the sandbox. Raises Refused."""
    try:
        with Sandbox() as sandbox:
            said = sandbox.run({"kind": "check", "source": source}).message
    except (Unavailable, Died) as error:
        words = {"why": error}
        raise CannotCheck(
            _("Protocols cannot be checked here: %(why)s") % words
        ) from error
    if said["kind"] != "checked":
        line = said.get("line")
        raise Refused(str(said.get("error")), line if isinstance(line, int) else None)
    if said.get("computes") is not True:
        raise Refused(_("The class has no compute_results() of its own."))
    name, meta = said.get("name"), said.get("meta")
    if not isinstance(name, str) or not isinstance(meta, dict):
        raise Refused(_("The class does not say what it is."))
    if len(name) > LONGEST_NAME:
        words = {"most": LONGEST_NAME}
        raise Refused(
            _("The name of the class is longer than %(most)d characters.") % words
        )
    return {"name": name, "meta": meta}


def _protocol(name: str, by: Any) -> Protocol:
    """The protocol of this name, held; a new one begins with a program of its own."""
    found = Protocol.objects.select_for_update().filter(name=name).first()
    if found:
        return found
    application = Application(name=_application_name(name))
    application.begin(by)
    protocol = Protocol(name=name, application=application)
    protocol.save()
    return protocol


def _application_name(name: str) -> str:
    wanted = f"Protocol {name}"
    taken = Application.objects.filter(name=wanted).exists()
    return f"{wanted} 2" if taken else wanted


def _version(
    protocol: Protocol, meta: dict[str, Any], force: bool, auto_increment: bool
) -> ProtocolVersion:
    """A new version, not saved yet; one of the same number is replaced by force."""
    types = meta.get("compute_on_change_types") or []
    if not isinstance(types, list) or not all(isinstance(t, str) for t in types):
        raise Refused(_("compute_on_change_types is no list of texts."))
    number = _said(meta, "version", LONGEST_NUMBER)
    kept = protocol.versions.filter(replaced__isnull=True)
    if not number and not auto_increment:
        raise Refused(
            _("The class has no version. Add one to its Meta, or let it be counted.")
        )
    if not number:
        number = _next_number({row.number for row in kept})
    before = kept.filter(number=number).first()
    if before and not force:
        words = {"number": number}
        raise Refused(
            _("Version %(number)s is there already. Raise it, or force it.") % words
        )
    if before:
        before.replaced = clock.now()
        before.save()
    return ProtocolVersion(
        protocol=protocol,
        number=number,
        title=_said(meta, "title", 255),
        description=_said(meta, "description", LONGEST_TEXT),
        changelog=_said(meta, "changelog", LONGEST_TEXT),
        change_types=types,
        notification_only=meta.get("notification_only") is True,
    )


def _next_number(taken: set[str]) -> str:
    """The first whole number beyond all that are taken."""
    whole = [int(number) for number in taken if number.isdecimal()]
    return str(max(whole, default=0) + 1)


def _said(meta: dict[str, Any], name: str, longest: int) -> str:
    said = meta.get(name)
    return "" if said is None else str(said)[:longest]


def _account(by: Any) -> Any:
    return by if getattr(by, "pk", None) else None
