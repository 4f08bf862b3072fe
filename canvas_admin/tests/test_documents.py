"""The documents that are made from data are what the data says."""

from django.conf import settings

from canvas_admin.management.commands.permissions_doc import document


def test_the_page_about_permissions_is_up_to_date():
    page = settings.BASE_DIR / "docs" / "permissions.md"
    assert page.read_text(encoding="utf-8") == document(), (
        "write it anew: python manage.py permissions_doc > docs/permissions.md"
    )
