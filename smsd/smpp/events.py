"""What a session tells its caller: values, in the order in which things happened on the wire."""

from typing import Literal, NamedTuple, TypeAlias

from smsd.smpp.pdu import Body
from smsd.smpp.states import State


class Bound(NamedTuple):
    """ESME: our bind was accepted; ``mode`` is the bound state, ``peer_system_id`` the SMSC."""

    mode: State
    peer_system_id: str


class BindRefused(NamedTuple):
    """ESME: our bind was refused with ``status``; a Disconnect follows."""

    status: int


class BindRequested(NamedTuple):
    """SMSC: an ESME asks to bind; to be answered with accept_bind or refuse_bind."""

    sequence: int
    body: Body


class Request(NamedTuple):
    """A request for the application, which answers it under the same ``sequence``."""

    sequence: int
    body: Body


class Notice(NamedTuple):
    """A PDU that has no response, for the application: outbind or alert_notification."""

    body: Body


class Response(NamedTuple):
    """The answer to ``request(…, context)``; ``body`` is None for an error without a body."""

    context: object
    status: int
    body: Body | None


class Lost(NamedTuple):
    """A request whose outcome is unknown: its response did not come in time, or the link went."""

    context: object
    reason: Literal["timeout", "closed"]


class Unbound(NamedTuple):
    """The session ended as it should, by the peer's unbind or by ours; a Disconnect follows."""

    by_peer: bool


class PeerFault(NamedTuple):
    """Something came that should not have, and was dealt with; ``reason`` is for one log line."""

    reason: str


class Disconnect(NamedTuple):
    """The caller must write the output, then close the transport; further input is ignored."""

    reason: str


class Closed(NamedTuple):
    """The last event of a session: its transport is gone, everything unanswered is reported."""


Event: TypeAlias = (
    Bound
    | BindRefused
    | BindRequested
    | Request
    | Notice
    | Response
    | Lost
    | Unbound
    | PeerFault
    | Disconnect
    | Closed
)
