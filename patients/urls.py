"""The patients' pages."""

from django.urls import path

from patients import views

app_name = "patients"
urlpatterns = [
    path("patients/", views.roster, name="list"),
    path("patients/search/", views.search, name="search"),
    path("patients/new/", views.create, name="create"),
    path("patients/new/receipt/", views.receipt, name="receipt"),
    path("patient/<str:key>/", views.chart, name="chart"),
    path("patient/<str:key>/profile/", views.profile, name="profile"),
]
