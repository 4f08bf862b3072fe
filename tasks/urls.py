"""The pages of tasks."""

from django.urls import path

from tasks import views

app_name = "tasks"
urlpatterns = [
    path("tasks/", views.task_list, name="list"),
    path("tasks/new/", views.create, name="create"),
    path("patient/<str:key>/tasks/new/", views.create_for, name="create-for"),
    path("task/<str:key>/", views.task, name="detail"),
    path("task/<str:key>/change/", views.edit, name="edit"),
    path("task/<str:key>/hand-over/", views.hand_over, name="hand-over"),
    path("task/<str:key>/claim/", views.claim, name="claim"),
    path("task/<str:key>/status/", views.set_status, name="status"),
    path("task/<str:key>/comment/", views.comment, name="comment"),
]
