"""The only place that mounts the rooms."""

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path, re_path

from canvas_admin import site
from patients.admin import effective, reports

handler400 = "canvas_admin.site.bad_request"
handler403 = "patients.gate.denied"
handler500 = "canvas_admin.site.server_error"

# allauth's own list, less what a clinic with closed sign-up does not offer: adding mail
# addresses, confirming them, signing in by code.
sign_in = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path(
        "password/reset/done/",
        account.password_reset_done,
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/link/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/link/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("two-factor/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
]

urlpatterns = [
    path("", site.home, name="home"),
    path("account/", include(sign_in)),
    path("account/", include("staffing.urls")),
    path("auth/", include("staffing.program_urls")),
    path("", include("patients.urls")),
    path("", include("tasks.urls")),
    path(
        "admin/effective/", admin.site.admin_view(effective.effective), name="effective"
    ),
    path("admin/audit/", admin.site.admin_view(reports.report), name="audit-report"),
    path("admin/audit/file/", admin.site.admin_view(reports.file), name="audit-file"),
    path("admin/", admin.site.urls),
    path("fhir/", include("canvas_admin.fhir.urls")),
    path("", include("canvas_admin.protocols.urls")),
]
