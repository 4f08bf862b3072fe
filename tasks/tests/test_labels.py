"""Task labels in the administration, for holders of "Settings" (facts 6.9)."""

from canvas_admin.records.addresses import address
from canvas_admin.testing import make_staff
from staffing.tests.pages import errors_of, submit
from tasks.models import TaskLabel
from tasks.tests.asking import label_of, make

LIST = "/admin/tasks/tasklabel/"
FORM = "tasklabel_form"


def settings_client(cast, client):
    staff = make_staff("seth", "Settings")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return client


def test_a_label_is_made_and_put_on_tasks_of_its_origins(cast, client):
    seth = settings_client(cast, client)
    fields = {"name": "Referral", "color": "teal", "position": "5", "active": "on"}
    origins = ["REF_CMD", "CMP_IMG_ORD"]
    submit(seth, f"{LIST}add/", FORM, **fields, origins=origins)
    label = TaskLabel.objects.get(name="Referral")
    assert list(make(origin="REF_CMD").labels.all()) == [label]
    assert "Referral command" in seth.get(LIST).content.decode()
    submit(seth, address(label), FORM, origins=["INC_COV"])
    assert not make(origin="REF_CMD").labels.exists()
    assert list(make(origin="INC_COV").labels.all()) == [label]


def test_a_name_is_given_once_and_a_label_is_never_deleted(cast, client):
    seth, label = settings_client(cast, client), label_of("Urgent")
    answer = submit(seth, f"{LIST}add/", FORM, name="Urgent", color="red")
    assert "already exists" in str(errors_of(answer))
    assert seth.get(address(label, page="delete")).status_code == 403
