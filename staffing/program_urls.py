"""Where programs get their tokens, and people let them act (DESIGN section 3)."""

from django.urls import path

from staffing import consent, token_endpoints

app_name = "auth"
urlpatterns = [
    path("authorize/", consent.authorize, name="authorize"),
    path("introspect/", token_endpoints.introspect, name="introspect"),
    path("revoke_token/", token_endpoints.revoke, name="revoke"),
    path("token/", token_endpoints.token, name="token"),
]
