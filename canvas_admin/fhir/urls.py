"""The addresses of the API."""

from django.urls import path, re_path

from canvas_admin.fhir.server import (
    FileView,
    InstanceView,
    Metadata,
    OperationView,
    SearchView,
    TypeView,
    Unknown,
)

app_name = "fhir"

urlpatterns = [
    path("", Unknown.as_view(), name="base"),
    path("metadata", Metadata.as_view(), name="metadata"),
    re_path(r"^(?P<name>[A-Z][A-Za-z]{1,63})/?$", TypeView.as_view(), name="type"),
    re_path(
        r"^(?P<name>[A-Z][A-Za-z]{1,63})/_search$", SearchView.as_view(), name="search"
    ),
    re_path(
        r"^(?P<name>[A-Z][A-Za-z]{1,63})/(?P<logical_id>[^/]{1,64})$",
        InstanceView.as_view(),
        name="instance",
    ),
    re_path(
        r"^(?P<name>[A-Z][A-Za-z]{1,63})/(?P<logical_id>[^/]{1,64})"
        r"/files/(?P<element>[A-Za-z]{1,64})$",
        FileView.as_view(),
        name="file",
    ),
    re_path(
        r"^(?P<name>[A-Z][A-Za-z]{1,63})/(?P<logical_id>[^/]{1,64})"
        r"/\$(?P<operation>[a-z-]{1,64})$",
        OperationView.as_view(),
        name="operation",
    ),
    re_path(r"^(?P<path>.+)$", Unknown.as_view(), name="unknown"),
]
