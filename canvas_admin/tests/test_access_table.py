"""Who gets what at every URL: one table, and a URL that is missing from it fails.

A cell is the answer to GET and to an empty POST. "login" is a redirect to the sign-in
page. Patient pages are about ada, whom nora and max reach. seth holds Settings alone.
ines, who is inactive, gets what anybody gets who is not signed in.
"""

# ruff: noqa: E501 (the table is wide)

from copy import copy
from http.cookies import SimpleCookie
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.test import Client

from canvas_admin.testing import make_cast, make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.addresses import address, every_name, furnish
from canvas_admin.tests.kept_rows import Keeper
from canvas_admin.tests.signing_in import note_activity_ahead

# So many addresses are asked on PostgreSQL, drawn by the seed.
ON_POSTGRESQL = 80
ONE_TIME = "account_reset_password_from_key"

PAGES = """
url                                   anonymous   nora        sam         olga        max         nil         ruth        seth
account_change_password               login/login 200/200     200/200     200/200     200/200     200/200     200/200     200/200
account_inactive                      200/405     200/405     200/405     200/405     200/405     200/405     200/405     200/405
account_login                         200/200     302/302     302/302     302/302     302/302     302/302     302/302     302/302
account_logout                        302/302     200/302     200/302     200/302     200/302     200/302     200/302     200/302
account_reauthenticate                login/login 200/200     200/200     200/200     200/200     200/200     200/200     200/200
account_reset_password                200/200     200/200     200/200     200/200     200/200     200/200     200/200     200/200
account_reset_password_done           200/405     200/405     200/405     200/405     200/405     200/405     200/405     200/405
account_reset_password_from_key       302/302     302/302     302/302     302/302     302/302     302/302     302/302     302/302
account_reset_password_from_key_done  200/405     200/405     200/405     200/405     200/405     200/405     200/405     200/405
account_signup                        200/200     302/302     302/302     302/302     302/302     302/302     302/302     302/302
auth:authorize                        login/login 400/400     400/400     400/400     400/400     400/400     400/400     400/400
auth:introspect                       405/400     405/400     405/400     405/400     405/400     405/400     405/400     405/400
auth:revoke                           405/400     405/400     405/400     405/400     405/400     405/400     405/400     405/400
auth:token                            405/400     405/400     405/400     405/400     405/400     405/400     405/400     405/400
fhir:base                             401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
fhir:file                             401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
fhir:instance                         401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
fhir:metadata                         200/405     200/405     200/405     200/405     200/405     200/405     200/405     200/405
fhir:operation                        401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
fhir:search                           401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
fhir:type                             401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
fhir:unknown                          401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
home                                  login/login 302/302     302/302     302/302     302/302     302/302     302/302     302/302
mfa_activate_totp                     login/login 302/302     302/302     302/302     302/302     302/302     302/302     302/302
mfa_authenticate                      302/302     302/302     302/302     302/302     302/302     302/302     302/302     302/302
mfa_deactivate_totp                   login/login 404/404     404/404     404/404     404/404     404/404     404/404     404/404
mfa_download_recovery_codes           login/login 404/404     404/404     404/404     404/404     404/404     404/404     404/404
mfa_generate_recovery_codes           login/login 302/302     302/302     302/302     302/302     302/302     302/302     302/302
mfa_index                             login/login 200/405     200/405     200/405     200/405     200/405     200/405     200/405
mfa_reauthenticate                    login/login 302/302     302/302     302/302     302/302     302/302     302/302     302/302
mfa_view_recovery_codes               login/login 404/405     404/405     404/405     404/405     404/405     404/405     404/405
patients:appointment                  login/login 200/405     403/405     403/405     200/405     403/405     403/405     403/405
patients:appointment-status           login/login 405/400     405/403     405/403     405/400        405/403     405/403     405/403
patients:appointments                 login/login 200/405     403/405     403/405     200/405     403/405     403/405     403/405
patients:book                         login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:access-requests              login/login 200/302     200/302     200/302     200/302     403/403     403/403     403/403
patients:addresses                    login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:addresses-add                login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:addresses-change             login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:care-team                    login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:care-team-add                login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:care-team-change             login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:change-incoming-file         login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:chart                        login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:add-claim                    login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:change-claim                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim                        login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:claim-diagnosis-add          login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-diagnosis-change       login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-diagnosis-end          login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-line-add               login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-line-change            login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-line-end               login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-note                   login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-posting-add            login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-posting-end            login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-snooze                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:claim-state                  login/login 405/403     405/403     405/403     405/403     405/403     405/403     405/403
patients:claims                       login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:revenue                      login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:revenue-file                 login/login 405/403     405/403     405/403     405/403     405/403     405/403     405/403
patients:choose-patient               login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:consents                     login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:consents-add                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:consents-change              login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:contacts                     login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:contacts-add                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:contacts-change              login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:coverages                    login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:coverages-add                login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:coverages-change             login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:coverages-eligibility        login/login 405/403     405/403     405/403     405/403     405/403     405/403     405/403
patients:create                       login/login 403/403     403/403     200/200     403/403     403/403     403/403     403/403
patients:data-integration             login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:document-file                login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:documents                    login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:edit-document                login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:file-document                login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:incoming-file                login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:link-file                    login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:list                         login/login 200/302     200/302     200/302     200/302     403/403     403/403     403/403
patients:new-appointment              login/login 403/403     403/403     200/200     403/403     403/403     403/403     403/403
patients:demographics                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:identifiers                  login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:identifiers-add              login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:identifiers-change           login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:list                         login/login 200/302     200/302     200/302     200/302     403/403     403/403     403/403
patients:names                        login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:names-add                    login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:names-change                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:print-appointments           login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-chart                  login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-document               login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-profile                login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-result                 login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-results                login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-schedule               login/login 403/405     200/405     403/405     403/405     403/405     403/405     403/405
patients:print-statement              login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:print-statements             login/login 405/403     405/403     405/403     405/403     405/403     405/403     405/403
patients:print-visit                  login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:profile                      login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:receipt                      login/login 403/405     403/405     302/405     403/405     403/405     403/405     403/405
patients:reject-file                  login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:remove-document              login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:reschedule                   login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:restore-document             login/login 405/403     405/403     405/403     405/403     405/403     405/403     405/403
patients:hand-over                    login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:imaging                      login/login 200/405     200/405     403/405     403/405     403/405     403/405     403/405
patients:labs                         login/login 200/405     200/405     403/405     403/405     403/405     403/405     403/405
patients:other-documents              login/login 200/405     200/405     403/405     403/405     403/405     403/405     403/405
patients:refill                       login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:refills                      login/login 200/405     200/405     403/405     403/405     403/405     403/405     403/405
patients:record-refill                login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:review                       login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:undo-review                  login/login 405/302     405/403     405/403     405/403     405/403     405/403     405/403
patients:restore-file                 login/login 405/403     405/403     405/403     405/403     405/403     405/403     405/403
patients:result-file                  login/login 404/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:results                      login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:schedule                     login/login 200/405     200/405     200/405     200/405     403/405     403/405     403/405
patients:request-access               login/login 302/200     302/200     302/200     302/200     403/403     403/403     403/403
patients:search                       login/login 200/200     200/200     200/200     200/200     403/403     403/403     403/403
patients:telecom                      login/login 403/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:telecom-add                  login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:telecom-change               login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:add-command                  login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:addendum                     login/login 409/409     403/403     403/403     403/403     403/403     403/403     403/403
patients:allergies                    login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:allergies-add                login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:allergies-change             login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:commit-command               login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:conditions                   login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:conditions-add               login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:conditions-change            login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:edit-command                 login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:edit-note                    login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:ask-review                   login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:error-command                login/login 409/409     403/403     403/403     403/403     403/403     403/403     403/403
patients:immunizations                login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:immunizations-add            login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:immunizations-change         login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:medications                  login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:medications-add              login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:medications-change           login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:new-note                     login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:note                         login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:note-in-error                login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:notes                        login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
patients:remove-command               login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:sign-note                    login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
patients:start-note                   login/login 405/302     405/403     405/403     405/403     405/403     405/403     405/403
patients:unlink-file                  login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
patients:upload-files                 login/login 403/403     403/403     403/403     403/403     403/403     403/403     403/403
protocols:patient-input               login/405   200/405     403/405     403/405     403/405     403/405     403/405     403/405
protocols:set-active                  405/401     405/401     405/401     405/401     405/401     405/401     405/401     405/401
protocols:snooze                      login/login 405/302     405/403     405/403     405/403     405/403     405/403     405/403
protocols:upload                      405/401     405/401     405/401     405/401     405/401     405/401     405/401     405/401
protocols:version                     401/401     401/401     401/401     401/401     401/401     401/401     401/401     401/401
staffing:account                      login/login 200/405     200/405     200/405     200/405     200/405     200/405     200/405
staffing:session                      200/405     200/405     200/405     200/405     200/405     200/405     200/405     200/405
tasks:bulk                            login/login 405/302     405/302     405/403     405/403     405/403     405/403     405/403
tasks:bulk-reopen                     login/login 405/302     405/302     405/403     405/403     405/403     405/403     405/403
tasks:campaign                        login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
tasks:campaign-end                    login/login 200/302     403/403     403/403     403/403     403/403     403/403     403/403
tasks:campaign-go-on                  login/login 405/302     405/403     405/403     405/403     405/403     405/403     405/403
tasks:campaigns                       login/login 200/405     200/405     403/405     403/405     403/405     403/405     403/405
tasks:claim                           login/login 405/302     405/403     405/403     405/403     405/403     405/403     405/403
tasks:comment                         login/login 405/200     405/403     405/403     405/403     405/403     405/403     405/403
tasks:create                          login/login 200/200     200/200     403/403     403/403     403/403     403/403     403/403
tasks:create-for                      login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
tasks:detail                          login/login 200/405     403/405     403/405     403/405     403/405     403/405     403/405
tasks:edit                            login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
tasks:hand-over                       login/login 200/200     403/403     403/403     403/403     403/403     403/403     403/403
tasks:list                            login/login 200/405     200/405     403/405     403/405     403/405     403/405     403/405
tasks:new-campaign                    login/login 200/200     200/200     403/403     403/403     403/403     403/403     403/403
tasks:status                          login/login 405/400     405/403     405/403     405/403     405/403     405/403     405/403
usersessions_list                     login/login 200/302     200/302     200/302     200/302     200/302     200/302     200/302
"""

# In the administration everybody but ruth and seth is refused, or sent to sign in.
ADMINISTRATION = """
url                                         ruth      seth
admin:app_list                              200/200   200/200
admin:auth_group_add                        403/403   403/403
admin:auth_group_change                     200/403   403/403
admin:auth_group_changelist                 200/200   403/403
admin:auth_group_delete                     403/403   403/403
admin:auth_group_history                    200/200   403/403
admin:index                                 200/200   200/200
admin:jsi18n                                200/405   200/405
admin:login                                 403/403   403/403
admin:logout                                405/200   405/200
admin:patients_accessrequest_add            403/403   403/403
admin:patients_accessrequest_change         200/200   403/403
admin:patients_accessrequest_changelist     200/405   403/405
admin:patients_accessrequest_delete         403/403   403/403
admin:patients_accessrequest_history        200/200   403/403
admin:patients_consentcoding_add            403/403   200/200
admin:patients_consentcoding_change         403/403   200/200
admin:patients_consentcoding_changelist     403/403   200/200
admin:patients_consentcoding_delete         403/403   403/403
admin:patients_consentcoding_history        403/403   200/200
admin:patients_patientgroup_stranded        200/200   403/403
admin:patients_patientgroup_unassigned      200/200   403/403
admin:patients_patientgroup_hand_over       405/302   405/403
admin:patients_patientgroup_add             200/200   403/403
admin:patients_patientgroup_change          200/200   403/403
admin:patients_patientgroup_changelist      200/200   403/403
admin:patients_patientgroup_delete          200/200   403/403
admin:patients_patientgroup_effect          200/405   403/405
admin:patients_patientgroup_exclusion_add   200/200   403/403
admin:patients_patientgroup_exclusion_lift  200/302   403/403
admin:patients_patientgroup_exclusions      200/405   403/405
admin:patients_patientgroup_history         200/200   403/403
admin:patients_patientgroup_member          200/200   403/403
admin:patients_patientgroup_member_add      200/200   403/403
admin:patients_patientgroup_member_remove   200/302   403/403
admin:patients_patientgroup_member_restore  302/302   403/403
admin:patients_patientgroup_members         200/302   403/403
admin:patients_patientgroup_numbers         200/405   403/405
admin:patients_patientgroup_picker          405/200   405/403
admin:patients_patientgroup_unreachable     200/200   403/403
admin:protocols_apikey_add                  403/403   403/403
admin:protocols_apikey_change               403/403   403/403
admin:protocols_apikey_changelist           403/403   403/403
admin:protocols_apikey_delete               403/403   403/403
admin:protocols_apikey_history              403/403   403/403
admin:protocols_apikey_revoke               403/403   403/403
admin:protocols_protocol_add                403/403   403/403
admin:protocols_protocol_change             403/403   403/403
admin:protocols_protocol_changelist         403/403   403/403
admin:protocols_protocol_delete             403/403   403/403
admin:protocols_protocol_dry_file           403/405   403/405
admin:protocols_protocol_dry_run            403/405   403/405
admin:protocols_protocol_dry_stop           405/403   405/403
admin:protocols_protocol_events             403/405   403/405
admin:protocols_protocol_history            403/403   403/403
admin:protocols_protocol_recompute          403/403   403/403
admin:protocols_protocol_retry              405/403   405/403
admin:protocols_protocol_retry_all          405/403   405/403
admin:protocols_protocol_run                403/405   403/405
admin:protocols_protocol_runs               403/405   403/405
admin:protocols_protocol_switch             403/403   403/403
admin:protocols_protocol_try                403/403   403/403
admin:protocols_protocol_upload             403/403   403/403
admin:protocols_protocol_use                403/403   403/403
admin:protocols_protocol_versions           403/405   403/405
admin:staffing_application_add              403/403   403/403
admin:staffing_application_change           403/403   403/403
admin:staffing_application_changelist       403/403   403/403
admin:staffing_application_delete           403/403   403/403
admin:staffing_application_history          403/403   403/403
admin:staffing_application_revoke           403/403   403/403
admin:staffing_application_secret           403/403   403/403
admin:staffing_careteamrole_add             200/200   403/403
admin:staffing_careteamrole_change          200/200   403/403
admin:staffing_careteamrole_changelist      200/200   403/403
admin:staffing_careteamrole_delete          403/403   403/403
admin:staffing_careteamrole_history         200/200   403/403
admin:staffing_groupchange_add              403/403   403/403
admin:staffing_groupchange_change           200/403   403/403
admin:staffing_groupchange_changelist       200/200   403/403
admin:staffing_groupchange_delete           403/403   403/403
admin:staffing_groupchange_history          200/200   403/403
admin:staffing_location_add                 403/403   200/200
admin:staffing_location_change              403/403   200/200
admin:staffing_location_changelist          403/403   200/200
admin:staffing_location_delete              403/403   403/403
admin:staffing_location_history             403/403   200/200
admin:staffing_role_add                     200/200   403/403
admin:staffing_role_change                  200/200   403/403
admin:staffing_role_changelist              200/200   403/403
admin:staffing_role_delete                  403/403   403/403
admin:staffing_role_history                 200/200   403/403
admin:staffing_staff_activate               200/302   403/403
admin:staffing_staff_add                    200/200   403/403
admin:staffing_staff_change                 200/200   403/403
admin:staffing_staff_changelist             200/200   403/403
admin:staffing_staff_deactivate             200/302   403/403
admin:staffing_staff_delete                 403/403   403/403
admin:staffing_staff_history                200/200   403/403
admin:staffing_staffpermissions_add         403/403   403/403
admin:staffing_staffpermissions_change      200/200   403/403
admin:staffing_staffpermissions_changelist  200/200   403/403
admin:staffing_staffpermissions_delete      403/403   403/403
admin:staffing_staffpermissions_history     200/200   403/403
admin:staffing_team_add                     200/200   403/403
admin:staffing_team_change                  200/200   403/403
admin:staffing_team_changelist              200/200   403/403
admin:staffing_team_delete                  200/200   403/403
admin:staffing_team_history                 200/200   403/403
admin:staffing_user_add                     403/403   403/403
admin:staffing_user_change                  200/302   403/403
admin:staffing_user_changelist              200/200   403/403
admin:staffing_user_delete                  403/403   403/403
admin:staffing_user_history                 200/200   403/403
admin:staffing_user_link                    200/200   403/403
admin:staffing_user_second_step_off         200/302   403/403
admin:staffing_visittype_add                403/403   200/200
admin:staffing_visittype_change             403/403   200/200
admin:staffing_visittype_changelist         403/403   200/200
admin:staffing_visittype_delete             403/403   403/403
admin:staffing_visittype_history            403/403   200/200
admin:tasks_routingrule_add                 403/403   200/200
admin:tasks_routingrule_change              403/403   200/200
admin:tasks_routingrule_changelist          403/403   200/200
admin:tasks_routingrule_delete              403/403   200/200
admin:tasks_routingrule_history             403/403   200/200
admin:tasks_routingrule_move                405/403   405/302
admin:tasks_routingrule_trial               403/405   200/405
admin:tasks_tasklabel_add                   403/403   200/200
admin:tasks_tasklabel_change                403/403   200/200
admin:tasks_tasklabel_changelist            403/403   200/200
admin:tasks_tasklabel_delete                403/403   403/403
admin:tasks_tasklabel_history               403/403   200/200
audit-file                                  405/403   405/403
audit-report                                403/403   403/403
effective                                   405/200   405/403
"""


def _table(text: str) -> dict[str, dict[str, str]]:
    head, *lines = (line.split() for line in text.strip().splitlines())
    return {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}


PAGE_TABLE, ADMIN_TABLE = _table(PAGES), _table(ADMINISTRATION)
REFUSED = dict.fromkeys(("nora", "sam", "olga", "max", "nil"), "403/403")
EXPECTED = PAGE_TABLE | {
    name: {"anonymous": "login/login", **REFUSED, **cells}
    for name, cells in ADMIN_TABLE.items()
}


def make_clinic() -> SimpleNamespace:
    """The cast with a row of everything, seth, and every address."""
    cast = furnish(make_cast())
    cast.seth = make_staff("seth", "Settings")
    cast.urls = {name: address(name, cast) for name in EXPECTED}
    return cast


kept_clinic = Keeper(make_clinic)


def test_every_url_is_in_the_table():
    assert every_name() == sorted(EXPECTED)


@pytest.mark.parametrize(
    "who", ["anonymous", "ines", "nora", "sam", "olga", "max", "nil", "ruth", "seth"]
)
def test_each_person_gets_what_the_table_says(db, who):
    clinic, client = kept_clinic.put_back(), Client()
    column = "anonymous" if who == "ines" else who
    if who != "anonymous":
        account = getattr(clinic, who).user
        client.force_login(account, backend="staffing.backends.StaffBackend")
        note_activity_ahead(client)
    # A link for nora is dead when she has signed in.
    urls = clinic.urls | {ONE_TIME: address(ONE_TIME, clinic)}
    cookies, got = client.cookies, {}
    for name in asked():
        url = urls[name]
        answers = [_answer(client, cookies, method, url) for method in ("get", "post")]
        got[name] = "/".join(answers)
    assert got == {name: EXPECTED[name][column] for name in got}


def asked() -> list[str]:
    """Every address on SQLite. Who gets what does not follow from the database."""
    if connection.vendor == "sqlite":
        return [*EXPECTED]
    return proof.some(EXPECTED, ON_POSTGRESQL)


def _answer(client: Client, cookies: SimpleCookie, method: str, url: str) -> str:
    """The status of one request of this session, whose effects are undone."""
    client.cookies = copy(cookies)
    with transaction.atomic():
        response = getattr(client, method)(url)
        transaction.set_rollback(True)
    if response.status_code == 302 and "login/?next=" in response["Location"]:
        return "login"
    return str(response.status_code)
