"""One run: a class written for canvas_workflow_kit over one patient, and what came of it."""

import inspect
import linecache
import math
import traceback
from typing import Any

from canvas_workflow_kit.patient import Patient
from canvas_workflow_kit.protocol import ClinicalQualityMeasure
from canvas_workflow_kit.utils import parse_class_from_python_source

# What the kit calls a text that it executes.
OWN = "<string>"
LONGEST_ERROR, LONGEST_TRACE = 2_000, 20_000
META = (
    "title",
    "version",
    "changelog",
    "description",
    "information",
    "references",
    "identifiers",
    "types",
    "authors",
    "compute_on_change_types",
    "notification_only",
    "abstract",
    "show_in_chart",
    "show_in_population",
    "can_be_snoozed",
    "funding_source",
)


def done(job: dict[str, Any]) -> dict[str, Any]:
    """What came of a job, whatever the class does: a result, or an error with its place."""
    try:
        measure = parse_class_from_python_source(job["source"])
        if job["kind"] == "check":
            return {"kind": "checked", **_declared(measure)}
        return {"kind": "result", **_computed(measure, job)}
    except BaseException as error:  # noqa: BLE001  (whatever it raises is its result)
        return {"kind": "error", **_told(error, job["source"])}


def _declared(measure: type[ClinicalQualityMeasure]) -> dict[str, Any]:
    meta = measure._meta
    said = {name: meta[name] for name in META if name in meta}
    if "notification_only" in vars(measure):
        said["notification_only"] = measure.notification_only
    computes = measure.compute_results is not ClinicalQualityMeasure.compute_results
    return {
        "name": measure.__name__,
        "meta": {name: _plain(value) for name, value in said.items()},
        "computes": computes and not inspect.isabstract(measure),
    }


def _computed(
    measure: type[ClinicalQualityMeasure], job: dict[str, Any]
) -> dict[str, Any]:
    protocol = measure(
        patient=Patient(job["patient"]), change_types=job["change_types"] or None
    )
    protocol.set_settings(job["settings"])
    protocol.field_changes = job["field_changes"]
    result = protocol.results()
    return {
        "status": _plain(result.status),
        "narrative": _plain(result.narrative),
        "recommendations": [_plain(vars(each)) for each in result.recommendations],
        "due_in": _plain(result.due_in),
        "days_of_notice": _plain(result.days_of_notice),
        "next_review": _plain(protocol.next_review()),
        "updates": _plain(protocol.updates()),
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it; dates and what else there is as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return str(value)


def _told(error: BaseException, source: str) -> dict[str, Any]:
    """The error, and where in the protocol's own text it came up."""
    lines = source.splitlines(keepends=True)
    linecache.cache[OWN] = (len(source), None, lines, OWN)
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename != OWN:
        trace = trace.tb_next
    own = [at.lineno for at in traceback.extract_tb(trace) if at.filename == OWN]
    if isinstance(error, SyntaxError) and error.filename == OWN:
        own.append(error.lineno)
    whole = traceback.format_exception(type(error), error, trace)
    return {
        "error": f"{type(error).__name__}: {error}"[:LONGEST_ERROR],
        "line": own[-1] if own else None,
        "traceback": "".join(whole)[-LONGEST_TRACE:],
    }
