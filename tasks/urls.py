"""The pages of tasks."""

from django.urls import path

from tasks import views

app_name = "tasks"
urlpatterns = [
    path("tasks/", views.task_list, name="list"),
    path("tasks/new/", views.create, name="create"),
    path("tasks/bulk/", views.bulk, name="bulk"),
    path("tasks/bulk/reopen/", views.reopen, name="bulk-reopen"),
    path("patient/<str:key>/tasks/new/", views.create_for, name="create-for"),
    path("task/<str:key>/", views.task, name="detail"),
    path("task/<str:key>/change/", views.edit, name="edit"),
    path("task/<str:key>/hand-over/", views.hand_over, name="hand-over"),
    path("task/<str:key>/claim/", views.claim, name="claim"),
    path("task/<str:key>/status/", views.set_status, name="status"),
    path("task/<str:key>/comment/", views.comment, name="comment"),
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/new/", views.new_campaign, name="new-campaign"),
    path("campaign/<str:campaign>/", views.campaign, name="campaign"),
    path("campaign/<str:campaign>/go-on/", views.go_on, name="campaign-go-on"),
    path("campaign/<str:campaign>/end/", views.end_campaign, name="campaign-end"),
]
