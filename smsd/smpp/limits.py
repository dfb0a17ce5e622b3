"""The bounds of one session, in octets, counts and seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What a session grants its peer; the defaults follow the usual practice of operators."""

    pdu_bytes_max: int = 65_536
    window: int = 1_000  # requests of the application that may await their response
    bind_timeout_s: float = 10.0
    response_timeout_s: float = 30.0
    enquire_link_s: float = 30.0  # silence from the peer, after which we ask
    inactivity_s: float = 0.0  # nothing but enquire_link for so long ends the session; 0: never
    unbind_timeout_s: float = 3.0
    pdu_rest_timeout_s: float = 10.0  # from the last progress until a half-received PDU is whole
