"""Where the administration shows a row: addresses by public keys."""

from typing import Any

from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html


def address(row: Any, site: str = "admin", page: str = "change") -> str:
    """The address of a row's admin page, by its public key."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}"
    return reverse(name, args=(quote(row.public_id),), current_app=site)


def linked(row: Any, site: str = "admin") -> str:
    """The row's name, linked to its admin page where it has one."""
    try:
        return format_html('<a href="{}">{}</a>', address(row, site), row)
    except NoReverseMatch:
        return str(row)
