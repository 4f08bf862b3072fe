"""Who is signed in, and which model permissions the auth groups give."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from staffing.models import User


class StaffBackend(ModelBackend):
    """Django's backend, for live accounts only and without permissions of single users.

    Programs have permissions, and no way in: neither password nor session.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        return user.may_sign_in

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("staff").filter(pk=user_id).first()
        return user if user and user.may_sign_in else None

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        live = getattr(user_obj, "live", False)
        return super()._get_permissions(user_obj, obj, from_name) if live else set()

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()
