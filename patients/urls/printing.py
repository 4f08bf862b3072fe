"""Addresses of what is printed."""

from django.urls import path

from patients import views

PRINT = "patient/<str:key>/print/"

urlpatterns = [
    path(f"{PRINT}chart/", views.print_chart, name="print-chart"),
    path(f"{PRINT}profile/", views.print_profile, name="print-profile"),
    path(f"{PRINT}appointments/", views.print_appointments, name="print-appointments"),
    path(f"{PRINT}results/<slug:kind>/", views.print_results, name="print-results"),
    path(
        f"{PRINT}results/<slug:kind>/<str:row>/",
        views.print_result,
        name="print-result",
    ),
    path(
        f"{PRINT}documents/<str:document>/", views.print_document, name="print-document"
    ),
    path(f"{PRINT}visits/<str:note>/", views.print_visit, name="print-visit"),
    path(f"{PRINT}statement/", views.print_statement, name="print-statement"),
    path("revenue/statements/", views.print_statements, name="print-statements"),
    path("schedule/print/", views.print_schedule, name="print-schedule"),
]
