"""The administration of protocols: who may do what, and who sees whose runs."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.admin import events
from canvas_admin.protocols.models import ApiKey, Protocol, ProtocolSetting, Recompute
from canvas_admin.protocols.templatetags import protocol_numbers
from canvas_admin.testing import give
from canvas_admin.tests.protocols.running import measure, protocol, setting
from patients.models import Patient
from staffing.group_keeping import changing_auth_groups
from staffing.groups import BY_NAME, managed_group


def page(name, *arguments):
    """The address of a page about protocols."""
    return reverse(f"admin:protocols_protocol_{name}", args=arguments)


@pytest.fixture
def desk(cast, signed_in):
    """max administers programs, and reads charts."""
    give(cast.max, "Integrations", "Clinical read")
    return signed_in("max")


def a_run(one, patient, **of):
    """A run over a patient, and its event."""
    event = ChangeEvent.objects.create(
        patient=patient.pk, change_type="task", model_name="task", record=1
    )
    given = {"kind": "computed", "started": event.at, "milliseconds": 5, "log": "said"}
    return one.runs.create(
        version=one.current, patient=patient, event=event, **given | of
    )


def test_a_file_is_uploaded_or_what_is_wrong_with_it_is_said(desk):
    def send(source, **more):
        file = SimpleUploadedFile("x.py", source.encode())
        return desk.post(page("upload"), {"file": file, **more})

    answer = send("x = (")
    assert "Line 1: SyntaxError" in answer.text
    assert not Protocol.objects.exists()
    answer = send(measure("pass"))
    one = Protocol.objects.get()
    assert answer["Location"] == page("versions", one.key)
    assert one.current is None
    (version,) = one.versions.all()
    shown = desk.get(page("versions", one.key)).text
    assert "compute_results" in shown
    assert "in use" not in shown
    assert desk.get(page("use", one.key, version.key)).status_code == 200
    desk.post(page("use", one.key, version.key))
    one.refresh_from_db()
    assert one.current == version
    assert "sees no patient" in desk.get(page("change", one.key)).text
    send(measure("print('more')").replace("'1'", "'2'"))
    second = one.versions.get(number="2")
    asked = desk.get(page("use", one.key, second.key)).text
    assert "+        print(&#x27;more&#x27;)" in asked
    assert "-        pass" in asked
    send(measure("pass").replace("'1'", "'2'"), use="on", force="on")
    one.refresh_from_db()
    assert str(one.current) == "2"
    assert "No file" in send("").text or "empty" in send("").text


def test_it_is_switched_and_computed_over_everybody(desk):
    one = protocol(measure("pass"))
    assert "Switch One off?" in desk.get(page("switch", one.key)).text
    for _twice in range(2):
        desk.post(page("switch", one.key), {"to": "off"})
        one.refresh_from_db()
        assert not one.active
    answer = desk.post(page("recompute", one.key), follow=True)
    assert "Switch it on first." in answer.text
    desk.post(page("switch", one.key), {"to": "on"})
    assert Recompute.objects.count() == 1
    answer = desk.post(page("recompute", one.key), follow=True)
    assert "waits" in answer.text
    assert "stopped" in answer.text
    Recompute.objects.filter(ended=None).update(patients=7)
    assert "0 of 7 patients" in desk.get(page("changelist")).text


def test_a_settings_value_is_taken_and_never_shown(desk):
    one = protocol(measure("pass"))
    setting(one, "GROUP", "hush-hush")
    row = one.settings.get()
    address = page("change", one.key)
    shown = desk.get(address)
    assert "hush-hush" not in shown.text
    form = shown.context["adminform"].form
    sent = {
        "form_version": form["form_version"].value(),
        "show_in_chart": "on",
        "settings-TOTAL_FORMS": "2",
        "settings-INITIAL_FORMS": "1",
        "settings-0-id": row.key,
        "settings-0-name": "GROUP",
        "settings-0-value": "",
        "settings-1-name": "OTHER",
        "settings-1-value": "new",
    }
    answer = desk.post(address, sent)
    assert answer.status_code == 302, answer.context["errors"]
    assert {s.name: s.value for s in one.settings.all()} == {
        "GROUP": "hush-hush",
        "OTHER": "new",
    }
    sent |= {"form_version": one.version + 1}
    for name, value, why in (
        ("CLIENT_ID", "x", "is made for each run"),
        ("INSTANCE_NAME", "a/b", "cannot be one"),
        ("a b", "x", "letters, digits"),
        ("EMPTY", "", "needs a value"),
    ):
        wrong = {"settings-1-name": name, "settings-1-value": value}
        assert why in desk.post(address, sent | wrong).text
    assert ProtocolSetting.objects.count() == 2


def test_runs_are_shown_to_who_may_open_the_chart(cast, signed_in):
    one = protocol(measure("pass"))
    ours, theirs = a_run(one, cast.ada), a_run(one, cast.ben)
    give(cast.nora, "Integrations")
    give(cast.olga, "Integrations", "All Patients")
    nurse, desk = signed_in("nora"), signed_in("olga")
    shown = nurse.get(page("runs")).text
    assert ours.key in shown
    assert theirs.key not in shown
    assert cast.ben.last_name not in shown
    assert AuditRow.objects.filter(
        action="protocol.runs", patient=cast.ada.key
    ).exists()
    assert "said" in nurse.get(page("run", ours.key)).text
    assert nurse.get(page("run", theirs.key)).status_code == 404
    assert nurse.get(page("run", "0" * 32)).status_code == 404
    assert "Clinical read" in desk.get(page("runs")).text
    assert desk.get(page("run", ours.key)).status_code == 404
    for query, there in (
        ({"patient": cast.ada.key}, True),
        ({"patient": cast.ben.key}, False),
        ({"protocol": one.key}, True),
        ({"protocol": "0" * 32}, False),
        ({"ended": "failed"}, False),
        ({"ended": "computed"}, True),
        ({"ended": "x"}, True),
        ({"after": ours.key}, False),
        ({"after": theirs.key}, True),
    ):
        assert (ours.key in nurse.get(page("runs"), query).text) is there, query


def test_a_long_list_of_runs_goes_on(cast, desk):
    one = protocol(measure("pass"))
    runs = [a_run(one, cast.ada) for _ in range(51)]
    first = desk.get(page("runs"))
    assert runs[0].key not in first.text
    assert first.context["next"] == runs[1].key
    second = desk.get(page("runs"), {"after": runs[1].key})
    assert runs[0].key in second.text
    assert second.context["next"] == ""


def test_who_may_look_at_protocols_alone_is_offered_no_act(desk):
    one = protocol(measure("pass"))
    of_one = page("use", one.key, one.versions.create(number="2").key)
    run = one.current.recomputes.create(dry=True, patients=0)
    ended = one.versions.get(number="2").recomputes.create(dry=True, ended=run.wanted)
    event = a_run(one, Patient.objects.first()).event
    ChangeEvent.objects.update(state="parked")
    offered = {
        page("events"): page("retry", event.key),
        page("versions", one.key): of_one,
        page("dry_run", run.key): page("dry_stop", run.key),
        page("dry_run", ended.key): of_one,
    }
    for shown, act in offered.items():
        assert act in desk.get(shown).text
    change = Permission.objects.get(codename="change_protocol")
    with changing_auth_groups():
        managed_group(BY_NAME["Integrations"].code).permissions.remove(change)
    for shown, act in offered.items():
        assert act not in desk.get(shown).text


def test_the_list_and_page_of_a_protocol_offer_what_one_may(desk, cast):
    give(cast.max, "Staff Permissions")
    one = protocol(measure("pass"))
    every = reverse("admin:protocols_protocol_changelist")
    of_one = reverse("admin:protocols_protocol_change", args=(one.key,))
    permissions = reverse(
        "admin:staffing_staffpermissions_change",
        args=(one.application.staff.public_id,),
    )
    offered = [
        ("add_protocol", "Integrations", every, page("upload")),
        ("change_protocol", "Integrations", of_one, page("switch", one.key)),
        ("change_staffpermissions", "Staff Permissions", of_one, permissions),
    ]
    for codename, group, shown, act in offered:
        assert act in desk.get(shown).text
        with changing_auth_groups():
            managed_group(BY_NAME[group].code).permissions.remove(
                Permission.objects.get(codename=codename)
            )
        assert act not in desk.get(shown).text


def test_who_reads_no_chart_has_nothing_to_narrow(cast, signed_in):
    give(cast.olga, "Integrations")
    desk = signed_in("olga")
    asked = 'name="patient"'
    for name in ("runs", "events"):
        assert asked not in desk.get(page(name)).text
    give(cast.olga, "Clinical read")
    for name in ("runs", "events"):
        assert asked in desk.get(page(name)).text


def test_events_are_counted_and_those_within_reach_shown_and_retried(cast, signed_in):
    ChangeEvent.objects.all().delete()
    one = protocol(measure("pass"))
    ours, theirs = (a_run(one, p).event for p in (cast.ada, cast.ben))
    ChangeEvent.objects.update(state="parked", error="Failed: One")
    give(cast.nora, "Integrations")
    nurse = signed_in("nora")
    shown = nurse.get(page("events"))
    assert [number for *_, number in shown.context["numbers"]] == [0, 2]
    assert ours.key in shown.text
    assert theirs.key not in shown.text
    assert nurse.post(page("retry", theirs.key)).status_code == 404
    for said in ("It is tried again.", "It is not parked any more."):
        assert said in nurse.post(page("retry", ours.key), follow=True).text
    assert list(ChangeEvent.objects.filter(state="waiting")) == [ours]
    assert AuditRow.objects.filter(action="event.retried").count() == 2
    assert ours.key not in nurse.get(page("events")).text
    waiting = nurse.get(page("events"), {"state": "waiting"})
    assert "waiting" in waiting.text


def test_parked_events_are_retried_together(cast, signed_in, monkeypatch):
    """As far as the list that is shown goes, and no further; the oldest first."""
    ChangeEvent.objects.all().delete()
    one, other = protocol(measure("pass")), protocol(measure("pass"), name="Other")
    first, second, third = (a_run(one, cast.ada).event for _each in range(3))
    apart = a_run(other, cast.ada).event
    theirs = a_run(one, cast.ben).event
    ChangeEvent.objects.update(state="parked", error="Failed: One", attempts=3)
    give(cast.nora, "Integrations")
    nurse = signed_in("nora")
    address, query = page("retry_all"), f"?protocol={one.key}"
    assert (
        f'action="{address}{query}&amp;patient="'
        in nurse.get(page("events") + query).text
    )
    assert address not in nurse.get(page("events") + query + "&state=done").text
    monkeypatch.setattr(events, "RETRIED", 2)
    said = nurse.post(address + query, follow=True).text
    assert "2 events are tried again." in said
    waiting = ChangeEvent.objects.filter(state="waiting").order_by("pk")
    assert list(waiting) == [first, second]
    assert {event.attempts for event in waiting.all()} == {0}
    assert "1 event is tried again." in nurse.post(address + query, follow=True).text
    assert list(waiting.all()) == [first, second, third]
    assert "No such event is parked." in nurse.post(address + query, follow=True).text
    told = AuditRow.objects.filter(action="event.retried", patient=cast.ada.key)
    assert told.count() == 2
    nurse.post(address)
    parked = ChangeEvent.objects.filter(state="parked")
    assert list(parked) == [theirs]
    assert apart in waiting.all()
    give(cast.max, "Integrations")
    assert address not in signed_in("max").get(page("events")).text
    assert "No such event" in signed_in("max").post(address, follow=True).text


def test_the_front_page_says_how_many_events_are_parked(cast, signed_in, monkeypatch):
    give(cast.max, "Integrations")
    max_, front = signed_in("max"), reverse("admin:index")
    assert "parked" not in max_.get(front).text
    state = ChangeEvent.State.PARKED
    patients = (cast.ada.pk, cast.ben.pk)
    of = {"change_type": "task", "model_name": "task", "record": 1, "state": state}
    ChangeEvent.objects.create(patient=patients[0], **of)
    assert ">1 event is parked<" in max_.get(front).text
    ChangeEvent.objects.create(patient=patients[1], **of)
    assert ">2 events are parked<" in max_.get(front).text
    monkeypatch.setattr(events, "COUNTED", 1)
    monkeypatch.setattr(protocol_numbers, "COUNTED", 1)
    assert ">More than 1 events are parked<" in max_.get(front).text
    other = signed_in("ruth").get(front).text
    assert "parked" not in other
    assert page("events") not in other


def test_events_are_shown_to_who_may_open_charts(cast, signed_in):
    ChangeEvent.objects.all().delete()
    event = a_run(protocol(measure("pass")), cast.ada).event
    ChangeEvent.objects.update(state="parked")
    give(cast.olga, "Integrations", "All Patients")
    olga = signed_in("olga")
    shown = olga.get(page("events"))
    assert shown.context["rows"] == []
    assert "to people with “Clinical read”" in shown.text
    assert olga.post(page("retry", event.key)).status_code == 404
    give(cast.olga, "Clinical read")
    shown = olga.get(page("events"))
    assert [row for row, *_ in shown.context["rows"]] == [event]
    assert olga.post(page("retry", event.key)).status_code == 302


def test_events_are_narrowed_to_a_patient_and_to_a_protocol(
    cast, signed_in, monkeypatch
):
    ChangeEvent.objects.all().delete()
    cast.north.add(cast.cyn)
    one, two = protocol(measure("pass")), protocol(measure("pass"), name="Two")
    ada, cyn, ben = (
        a_run(of, p).event
        for of, p in ((one, cast.ada), (two, cast.cyn), (one, cast.ben))
    )
    ChangeEvent.objects.update(state="done")
    give(cast.nora, "Integrations")
    nurse = signed_in("nora")

    def found(**asked):
        rows = nurse.get(page("events"), {"state": "done"} | asked).context["rows"]
        return {event for event, _patient, _said in rows}

    assert found() == {ada, cyn}
    assert found(patient=cast.cyn.key) == {cyn}
    assert found(protocol=one.key) == {ada}
    assert found(protocol=one.key, patient=cast.cyn.key) == set()
    assert found(patient=cast.ben.key) == found(patient="none") == set()
    for name in ("runs", "events"):
        for bad in ({"patient": "\0"}, {"protocol": "\0"}, {"after": "\0"}):
            assert nurse.get(page(name), bad).status_code == 200
    monkeypatch.setattr(events, "COUNTED", ben.pk - ada.pk)
    assert found() == {cyn}, "of what is done the newest alone, unless of one patient"
    assert found(patient=cast.ada.key) == {ada}


def test_an_api_key_is_ones_own_and_revoked_by_any_of_integrations(
    cast, desk, signed_in
):
    add = reverse("admin:protocols_apikey_add")
    answer = desk.post(add, {"name": "laptop"})
    key = ApiKey.objects.get()
    assert key.user == cast.max.user
    secret = answer.context["secret"]
    assert ApiKey.account(secret) == cast.max.user
    listed = desk.get(reverse("admin:protocols_apikey_changelist")).text
    assert "laptop" in listed
    assert secret not in listed
    revoke = reverse("admin:protocols_apikey_revoke", args=(key.key,))
    give(cast.nora, "Integrations")
    nurse = signed_in("nora")
    assert "Revoke “laptop”?" in nurse.get(revoke).text
    assert ApiKey.account(secret)
    assert "is revoked" in nurse.post(revoke, follow=True).text
    assert ApiKey.account(secret) is None
    assert AuditRow.objects.filter(action="apikey.revoked").exists()
    assert signed_in("sam").post(revoke).status_code == 403


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("api.example.org\nAPI.Example.com ", "api.example.org\napi.example.com"),
        ("https://api.example.org", None),
        ("127.0.0.1", None),
        ("localhost", None),
        ("a_b.example.org", None),
        ("-a.example.org", None),
        ("x" * 64 + ".example.org", None),
    ],
)
def test_other_hosts_are_named_by_who_administers_it(desk, typed, kept):
    one = protocol(measure("pass"))
    sent = {"form_version": one.version, "hosts": typed}
    sent |= {"settings-TOTAL_FORMS": "0", "settings-INITIAL_FORMS": "0"}
    answer = desk.post(page("change", one.key), sent)
    one.refresh_from_db()
    assert one.hosts == (kept or "")
    assert ("no name of a host" in answer.text) is (kept is None)
