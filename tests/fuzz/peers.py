"""Targets that are a hostile peer of a session: what it sends, how it is cut, when it comes.

The first octet of the food sets the stage (``_stage``), the next eight tell how the stream that
follows is cut and what happens between the pieces.
"""

from collections.abc import Iterable
from itertools import cycle
from typing import Any

from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.events import BindRequested, Event, Request
from smsd.smpp.framing import HEADER_BYTES
from smsd.smpp.layouts import BY_BODY
from smsd.smpp.pdu import DataSm, DeliverSm, Status, SubmitSm
from smsd.smpp.session import Role, Session, State
from smsd.smpp.states import BOUND
from tests.smpp.session_books import Books
from tests.smpp.two_ends import BINDS, LIMITS, MO, MT, ends_in

_SCHEDULE_OCTETS = 8
_STATES = tuple(State)
_ROLES = tuple(Role)
# An application may ask for what its state does not permit: it is refused, that is all.
_ASKED = (MO, MT, DataSm())
_NAMED = (DeliverSm, SubmitSm, DataSm)  # their responses take no more than a name


def stream(food: bytes) -> None:
    """[stage, 8 × cut, stream…]: any cutting has the same effect; nothing is amplified or held."""
    stage, schedule, octets = _split(food)
    whole = _effect(stage, [octets])
    events, output, _ = whole
    # A PDU has 16 octets or more and gets 16 at most; so does a stream that cannot be framed.
    assert len(output) <= len(octets) + HEADER_BYTES
    # A PDU is two events at most, and so is a stream that cannot be framed.
    assert len(events) <= 2 * (len(octets) // HEADER_BYTES) + 2
    assert _effect(stage, cut(octets, b"\1")) == whole
    assert _effect(stage, cut(octets, schedule)) == whole


def conversation(food: bytes) -> None:
    """[stage, 8 × (cut and deed), stream…]: between the pieces time passes and we speak too."""
    stage, schedule, octets = _split(food)
    books, now = _stage(stage)
    deeds = cycle(schedule[::-1])
    for piece in cut(octets, schedule):
        _act(books, next(deeds), now)
        for event in books.receive(piece, now):
            _reply(books, event, now)
        assert octets_held(books.session) < LIMITS.pdu_bytes_max
        now += next(deeds) / 8
        books.tick(now)
    books.close(now)


def cut(octets: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The octets in pieces of these sizes, again and again; a size of 0 stands for 256."""
    pieces = []
    at = 0
    for size in cycle(sizes or b"\0"):
        if at >= len(octets):
            break
        pieces.append(octets[at : at + (size or 256)])
        at += size or 256
    return pieces


def octets_held(thing: Any) -> int:
    """How many octets of strings a value keeps, through whatever it is made of."""
    match thing:
        case bytes() | bytearray():
            return len(thing)
        case dict():
            return sum(map(octets_held, thing.values()))
        case list() | tuple():
            return sum(map(octets_held, thing))
    slots = getattr(type(thing), "__slots__", ())
    return sum(octets_held(getattr(thing, slot, None)) for slot in slots if slot != "_handlers")


def _split(food: bytes) -> tuple[int, bytes, bytes]:
    stage = food[0] if food else 0
    return stage, food[1 : 1 + _SCHEDULE_OCTETS], food[1 + _SCHEDULE_OCTETS :]


def _stage(stage: int) -> tuple[Books, float]:
    """A session in any role (bit 0) and state (bits 1 to 5), and the time.

    Bit 7: all that it may ask is under way; bit 6: it has asked whether the peer is there. An ESME
    in OPEN has asked to bind.
    """
    role = _ROLES[stage & 1]
    state = _STATES[(stage >> 1 & 0x1F) % len(_STATES)]
    session, _ = ends_in(state).of(role)
    books = Books(session, role, LIMITS)
    if role is Role.ESME and state is State.OPEN:
        session.bind(BINDS[State.BOUND_TRX], 0.0)
        books.said()
    if stage & 0x80:
        for _ in range(LIMITS.window):
            books.request(MT if role is Role.ESME else MO, 0.0)
    now = LIMITS.enquire_link_s if stage & 0x40 and state in BOUND else 0.0
    books.tick(now)
    return books, now


def _effect(stage: int, pieces: list[bytes]) -> tuple[list[Event], bytes, State]:
    """All that the pieces make a session do whose application says nothing; time stands still."""
    books, now = _stage(stage)
    books.take()
    events: list[Event] = []
    for piece in pieces:
        events += books.receive(piece, now)
    assert octets_held(books.session) < LIMITS.pdu_bytes_max
    state = books.session.state
    outstanding = len(books.waiting)
    left = books.close(now)
    assert len(left) <= outstanding + 2  # what is lost, half a PDU, Closed
    return events, books.take(), state


def _act(books: Books, deed: int, now: float) -> None:
    """What our side does of itself: mostly nothing, often a request, seldom a farewell."""
    session: Session = books.session
    if deed & 3 == 3:
        books.request(_ASKED[(deed >> 2) % len(_ASKED)], now)
    elif deed == 0xFE and session.state in BINDS:
        session.unbind(now)
        books.said()


def _reply(books: Books, event: Event, now: float) -> None:
    """As the gateway and the simulator answer, sometimes with an error."""
    session: Session = books.session
    match event:
        case BindRequested(sequence, _) if sequence & 7 == 7:
            session.refuse_bind(sequence, Status.ESME_RINVPASWD)
        case BindRequested(sequence, _):
            session.accept_bind(sequence, "centre", now)
        case Request(sequence, DeliverSm()) if sequence & 3:
            session.acknowledge([sequence])
        case Request(sequence, body):
            good = type(body) in _NAMED and sequence & 4
            status = Status.ESME_ROK if good else Status.ESME_RSYSERR
            session.answer(sequence, BY_BODY[type(body)].command | RESPONSE_BIT, status, "7f")
    books.said()
