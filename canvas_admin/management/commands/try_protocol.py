"""manage.py try_protocol FILE --patient KEY --application NAME"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.protocols.broker import check_instance
from canvas_admin.protocols.runner import Kind, Outcome, Protocol, run
from canvas_admin.protocols.sandbox import Died, Sandbox, Unavailable
from patients import access
from patients.management.finding import find_patient
from patients.models import Patient
from staffing.models import Application

INSTANCE_NAME = "INSTANCE_NAME"


class Command(BaseCommand):
    help = (
        "Runs a protocol's file over one patient, as an application, and says what it "
        "computes and would do. Nothing of it is kept, unless --apply is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a class for canvas_workflow_kit")
        parser.add_argument("--patient", required=True, help="key or MRN of a patient")
        parser.add_argument(
            "--application", required=True, help="whose rights and reach it has"
        )
        parser.add_argument(
            "--set",
            dest="said",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="a setting of the protocol; may be given again",
        )
        parser.add_argument(
            "--change",
            dest="change_types",
            metavar="TYPE",
            action="append",
            default=[],
            help="what has changed, such as task or consent",
        )
        parser.add_argument(
            "--external-id", default="", help="the FHIR id of what was made"
        )
        parser.add_argument("--apply", action="store_true", help="do what it wants")

    def handle(self, *args: Any, **options: Any) -> None:
        patient = find_patient(options["patient"])
        protocol = _protocol(options)
        changed = options["external_id"]
        change = {"created": True, "external_id": changed} if changed else {}
        try:
            with Sandbox() as sandbox:
                types, dry = options["change_types"], not options["apply"]
                outcome = run(sandbox, protocol, patient, types, change, dry=dry)
        except (Unavailable, Died) as error:
            raise CommandError(str(error)) from error
        _record(patient, protocol, outcome, options)
        for line in _told(outcome, options["apply"]):
            self.stdout.write(line)
        if outcome.kind is not Kind.COMPUTED:
            sys.exit(1)


def _protocol(options: dict[str, Any]) -> Protocol:
    try:
        source = options["file"].read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            _("%(file)s cannot be read: %(why)s")
            % {"file": options["file"], "why": error}
        ) from error
    named = Application.objects.filter(name=options["application"], active=True)
    application = named.select_related("staff__user").first()
    if application is None:
        raise CommandError(_("There is no active application of this name."))
    pairs = [each.partition("=") for each in options["said"]]
    if bad := [name for name, equals, _value in pairs if not (name and equals)]:
        raise CommandError(_("“%(text)s” is not NAME=VALUE.") % {"text": bad[0]})
    settings = {name: value for name, _equals, value in pairs}
    instance = settings.pop(INSTANCE_NAME, "clinic")
    try:
        check_instance(instance)
    except ValueError as error:
        raise CommandError(str(error)) from error
    return Protocol(source, application, instance, settings)


def _record(
    patient: Patient, protocol: Protocol, outcome: Outcome, options: dict[str, Any]
) -> None:
    account = protocol.application.staff.user
    trail.done(
        trail.Command("try_protocol"),
        "protocol.tried",
        access.paths_to(account, [patient]),
        subject=f"application/{protocol.application.name}",
        file=options["file"].name,
        ended=str(outcome.kind),
        applied=options["apply"],
    )


def _told(outcome: Outcome, applied: bool) -> list[str]:
    if outcome.kind is Kind.OUT_OF_REACH:
        return [_("The patient is out of the application's reach: it does not run.")]
    told = [_("Printed:"), outcome.log.rstrip()] if outcome.log else []
    if outcome.kind is Kind.FAILED:
        line = _(" (line %(line)d)") % {"line": outcome.line} if outcome.line else ""
        failed = _("Failed: %(error)s") % {"error": outcome.error}
        return [*told, f"{failed}{line}", outcome.traceback.rstrip()]
    result = outcome.result
    told.append(_("Status: %(status)s") % {"status": result["status"]})
    if result["narrative"]:
        told.append(result["narrative"])
    told += [f"- {each['title']}" for each in result["recommendations"]]
    if result["due_in"] is not None:
        told.append(_("Due in %(days)d days.") % {"days": result["due_in"]})
    done = _("Done:") if applied else _("It would have done:")
    return [*told, done, *(f"- {each}" for each in outcome.done or [_("nothing")])]
