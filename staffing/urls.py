"""The pages of one's own account."""

from django.urls import path

from staffing import views

app_name = "staffing"
urlpatterns = [
    path("", views.account, name="account"),
    path("session/", views.session, name="session"),
]
