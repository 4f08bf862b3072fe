"""The administration of protocols, for “Integrations”."""

from canvas_admin.protocols.admin.api_keys import ApiKeyAdmin
from canvas_admin.protocols.admin.protocols import ProtocolAdmin

__all__ = ["ApiKeyAdmin", "ProtocolAdmin"]
