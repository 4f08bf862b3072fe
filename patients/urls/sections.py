"""Addresses of a section of the chart or the profile."""

from typing import Any

from django.urls import URLPattern, path

from patients import views


def pages_of(section: Any, page: str) -> list[URLPattern]:
    """The rows of a section of a page, a new one, and one that is there."""
    address, about = f"{page}{section.slug}/", {"section": section}
    name = section.slug
    return [
        path(address, views.rows, about, name=name),
        path(f"{address}new/", views.add_row, about, name=f"{name}-add"),
        path(f"{address}<str:row>/", views.change_row, about, name=f"{name}-change"),
    ]
