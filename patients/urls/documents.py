"""Addresses of a patient's administrative documents, and of incoming files."""

from django.urls import path

from patients import views

DOCUMENTS = "patient/<str:key>/documents/"
DOCUMENT = f"{DOCUMENTS}<str:document>/"
INBOX = "data-integration/"
INCOMING = f"{INBOX}<str:file>/"

urlpatterns = [
    path(DOCUMENTS, views.documents, name="documents"),
    path(f"{DOCUMENTS}new/", views.file_document, name="file-document"),
    path(f"{DOCUMENT}file/", views.document_file, name="document-file"),
    path(f"{DOCUMENT}change/", views.edit_document, name="edit-document"),
    path(f"{DOCUMENT}remove/", views.remove_document, name="remove-document"),
    path(f"{DOCUMENT}restore/", views.restore_document, name="restore-document"),
    path(INBOX, views.data_integration, name="data-integration"),
    path(f"{INBOX}upload/", views.upload_files, name="upload-files"),
    path(f"{INCOMING}file/", views.incoming_file, name="incoming-file"),
    path(f"{INCOMING}change/", views.change_incoming_file, name="change-incoming-file"),
    path(f"{INCOMING}reject/", views.reject_file, name="reject-file"),
    path(f"{INCOMING}restore/", views.restore_file, name="restore-file"),
    path(f"{INCOMING}link/", views.choose_patient, name="choose-patient"),
    path(f"{INCOMING}link/<str:key>/", views.link_file, name="link-file"),
    path(f"{INCOMING}unlink/<str:key>/", views.unlink_file, name="unlink-file"),
]
