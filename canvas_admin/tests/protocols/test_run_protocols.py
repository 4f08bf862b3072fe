"""manage.py run_protocols: a worker that looks for its work."""

from django.core.management import call_command
from django.db import IntegrityError

from canvas_admin.management.commands import run_protocols


def test_trouble_is_logged_without_what_a_database_says_of_rows(
    db, settings, monkeypatch, caplog
):
    trouble = iter([IntegrityError("twice\nDETAIL:  Key (last_name)=(Secret)")])

    def fails(*_given):
        for error in trouble:
            raise error
        return 0

    settings.PROCRASTINATE = False
    monkeypatch.setattr(run_protocols, "deliver_some", fails)
    monkeypatch.setattr(run_protocols, "PAUSE", 0)
    monkeypatch.setattr(run_protocols.signal, "signal", lambda *_given: None)
    with caplog.at_level("ERROR"):
        call_command("run_protocols", "--once")
    assert "protocols cannot go on at the moment: IntegrityError" in caplog.text
    assert "Secret" not in caplog.text
