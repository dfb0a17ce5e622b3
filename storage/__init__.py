"""Durable decisions: the store contract, SQLite behind it, the register."""

from storage.records import (
    DESK,
    Citizen,
    DecisionRow,
    InboundMessage,
    InboundPart,
    InboundReceipt,
    ReceiptState,
    Reply,
    ReplyOutcome,
    ReplyState,
    ShadowRow,
    Sweep,
)
from storage.registry import Register
from storage.sqlite import SqliteStore
from storage.store import (
    Store,
    StoreConflict,
    StoreError,
    StoreInUse,
    StoreUnavailable,
    Transaction,
)

__all__ = [
    "DESK",
    "Citizen",
    "DecisionRow",
    "InboundMessage",
    "InboundPart",
    "InboundReceipt",
    "ReceiptState",
    "Register",
    "Reply",
    "ReplyOutcome",
    "ReplyState",
    "ShadowRow",
    "SqliteStore",
    "Store",
    "StoreConflict",
    "StoreError",
    "StoreInUse",
    "StoreUnavailable",
    "Sweep",
    "Transaction",
]
