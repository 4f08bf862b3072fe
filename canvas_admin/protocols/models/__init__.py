"""Protocols, what runs of them came to, and who may upload them by a program."""

from canvas_admin.protocols.models.api_keys import ApiKey
from canvas_admin.protocols.models.protocols import (
    Protocol,
    ProtocolSetting,
    ProtocolVersion,
)
from canvas_admin.protocols.models.recomputes import (
    DryRow,
    Recompute,
    RecomputeSlice,
)
from canvas_admin.protocols.models.runs import (
    BrokeredWrite,
    ProtocolOverride,
    ProtocolResult,
    ProtocolRun,
)

__all__ = [
    "ApiKey",
    "BrokeredWrite",
    "DryRow",
    "Protocol",
    "ProtocolOverride",
    "ProtocolResult",
    "ProtocolRun",
    "ProtocolSetting",
    "ProtocolVersion",
    "Recompute",
    "RecomputeSlice",
]
