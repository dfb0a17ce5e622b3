"""The control protocol: JSON objects, one a line, over TCP. It has no password: loopback only.

A request has an ``op`` and may have an ``id``, which its answer repeats. An answer is
``{"id": …, "ok": true, …}`` or ``{"id": …, "ok": false, "reason": …, "error": "in plain words"}``
with reason ``bad_request``, ``nobody_bound`` or ``queue_full``. Requests of one connection are
answered in order, but for ``await``, which is answered when its condition holds.

=========  =========================================  ==============================================
op         fields                                     answer
=========  =========================================  ==============================================
send       from, to, text, queue=true                 message (its number), parts, state
send       from, to, octets (hex), data_coding=0,     the same: octets go out as they are
           esm_class=0, queue=true
message    message                                    state, parts, attempts, last_status, and
                                                      bound: whether somebody takes such now
watch      phone                                      then events, as messages come in:
                                                      {"event": "received", "message": {…}}
received   phone                                      messages: what the phone has, oldest first
status                                                binds, counters, waiting, …
await      bound (a short number)                     when an ESME is bound to receive for it
await      counter, at_least                          when that counter has got there
fault      deliver, hold_responses, submit_status,    status; fields left out stay as they are
           submit_status_times, throughput, bind_status,
           read, receipt_state, receipt_decimal
drop                                                  dropped: how many connections were cut
=========  =========================================  ==============================================

``queue: false`` refuses a send at once (nobody_bound) where no ESME is bound for ``to``. The
``state`` of a message is waiting, sent, retrying, refused or acknowledged. The faults are those of
``simulators.faults``; a status is a number or a name of SMPP 3.4 §5.1.3. A received message has the
fields of ``simulators.phone.Received``.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from simulators import reactor as net
from simulators.limits import CONTROL_LINE_BYTES_MAX, CONTROL_UNREAD_BYTES_MAX, Counters
from simulators.mo_queue import Message, QueueFull
from simulators.phone import Received
from simulators.smsc import Smsc
from smsd.smpp.pdu import Status, status_text


def _status_number(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Status[value]
    except KeyError:
        raise ValueError("give a status by number, or by its name as in ESME_RTHROTTLED") from None


StatusNumber = Annotated[int, BeforeValidator(_status_number), Field(ge=0, le=0xFFFFFFFF)]
Octet = Annotated[int, Field(ge=0, le=255)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    id: int | str | None = None


class Send(_Request):
    """A phone texts; ``text``, or ``octets`` as they are."""

    op: Literal["send"]
    sender: str = Field(alias="from")
    to: str
    text: str | None = None
    octets: str | None = Field(default=None, pattern=r"^([0-9a-fA-F]{2})*$")
    data_coding: Octet = 0
    esm_class: Octet = 0
    queue: bool = True


class AskMessage(_Request):
    """What became of a message?"""

    op: Literal["message"]
    message: int


class Watch(_Request):
    """Tell this connection what a phone receives from now on."""

    op: Literal["watch"]
    phone: str


class AskReceived(_Request):
    """What does a phone have?"""

    op: Literal["received"]
    phone: str


class AskStatus(_Request):
    """How is the SMSC?"""

    op: Literal["status"]


class Await(_Request):
    """Answer when an ESME is bound for a number, or a counter has got somewhere."""

    op: Literal["await"]
    bound: str | None = None
    counter: str | None = None
    at_least: int = 1


class Fault(_Request):
    """Switch faults on or off."""

    op: Literal["fault"]
    deliver: bool = True
    hold_responses: bool = False
    submit_status: StatusNumber = 0
    submit_status_times: int | None = Field(default=None, ge=1)
    throughput: int = Field(default=0, ge=0)
    bind_status: StatusNumber = 0
    receipt_state: int = Field(default=2, ge=1, le=8)
    receipt_decimal: bool = False
    read: bool = True


class Drop(_Request):
    """Cut every connection."""

    op: Literal["drop"]


Request = Send | AskMessage | Watch | AskReceived | AskStatus | Await | Fault | Drop
_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="op")])


class Refused(Exception):
    """A request that cannot be met: ``reason`` for machines, the text for people."""

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(error)
        self.reason = reason


@implementer(IHalfCloseableProtocol)
class ControlServer(LineOnlyReceiver):
    """One control connection."""

    _log = Logger()
    transport: net.Transport  # type: ignore[assignment]  # ITransport says too little
    delimiter = b"\n"
    MAX_LENGTH = CONTROL_LINE_BYTES_MAX

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._watching: dict[str, Callable[[], None]] = {}
        self._awaiting: set[Deferred[None]] = set()
        self._paused = False
        self._unread_bytes = 0

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """As its producer we hear when the client reads more slowly than we write."""
        # An event right behind an answer would wait 40 ms for the client's delayed ACK.
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client does not read: take no more requests, and count what piles up."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client has read everything."""
        self._paused = False
        self._unread_bytes = 0
        self.transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The connection is closing."""

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """One request; whatever the line holds, it is answered."""
        request_id: int | str | None = None
        try:
            request = _REQUEST.validate_json(line)
            request_id = request.id
            answer = self._perform(request)
        except ValidationError as invalid:
            answer = _refusal(Refused("bad_request", _plain(invalid)))
        except ValueError as invalid:
            answer = _refusal(Refused("bad_request", str(invalid)))
        except QueueFull as full:
            answer = _refusal(Refused("queue_full", str(full)))
        except Refused as refused:
            answer = _refusal(refused)
        if answer is not None:
            self._write({"id": request_id, "ok": True} | answer)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """A line that long is no request: say so and hang up."""
        error = f"a line has at most {self.MAX_LENGTH} bytes"
        self._write({"id": None, "ok": False, "reason": "bad_request", "error": error})
        self.transport.loseConnection()

    def readConnectionLost(self) -> None:  # noqa: N802 - Twisted's name
        """The client has said all, as ``nc`` at the end of its input: answer, then close."""
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:  # noqa: N802 - Twisted's name
        """The client hears no more; connectionLost follows."""

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802 - Twisted's name
        """Forget what this connection was waiting for."""
        for stop in self._watching.values():
            stop()
        for waiting in tuple(self._awaiting):
            waiting.cancel()

    def _perform(self, request: Request) -> dict[str, Any] | None:
        match request:
            case Send():
                return _sent(self._send(request))
            case AskMessage(message=serial):
                return self._fate(serial)
            case Watch(phone=phone):
                if phone not in self._watching:
                    self._watching[phone] = self._smsc.watch(phone, self._show)
                return {}
            case AskReceived(phone=phone):
                return {"messages": [each._asdict() for each in self._smsc.received(phone)]}
            case AskStatus():
                return self._smsc.status()
            case Await():
                self._await(request)
                return None  # Its answer comes when its condition holds.
            case Fault():
                self._smsc.set_faults(request.model_dump(exclude_unset=True, exclude={"op", "id"}))
                return self._smsc.status()
            case Drop():
                return {"dropped": self._smsc.drop_links()}

    def _send(self, request: Send) -> Message:
        if (request.text is None) == (request.octets is None):
            raise Refused("bad_request", "give either text or octets")
        if not request.queue and not self._smsc.has_receiver(request.to):
            raise Refused("nobody_bound", f"nobody is bound as receiver for {request.to}")
        if request.text is not None:
            return self._smsc.deliver(request.sender, request.text, request.to)
        return self._smsc.deliver_octets(
            request.sender,
            bytes.fromhex(request.octets or ""),
            request.to,
            request.data_coding,
            request.esm_class,
        )

    def _fate(self, serial: int) -> dict[str, Any]:
        message = self._smsc.message(serial)
        if message is None:
            raise Refused("bad_request", "no such message, or it is long ago")
        status = message.last_status
        return _sent(message) | {
            "attempts": max(each.attempts for each in message.deliveries),
            "bound": self._smsc.has_receiver(message.to),
            "last_status": None if status is None else status_text(status),
        }

    def _await(self, request: Await) -> None:
        waiting = self._smsc.when(self._condition(request))
        waiting.addCallbacks(
            lambda _: self._write({"id": request.id, "ok": True}),
            lambda _: None,  # Cancelled: the connection is gone, nobody waits any more.
        )
        if not waiting.called:
            self._awaiting.add(waiting)
            waiting.addBoth(lambda _: self._awaiting.discard(waiting))

    def _condition(self, request: Await) -> Callable[[], bool]:
        if (request.bound is None) == (request.counter is None):
            raise Refused("bad_request", "give either bound or counter")
        if request.bound is not None:
            return partial(self._smsc.has_receiver, request.bound)
        name = request.counter
        if name not in Counters.__dataclass_fields__:
            known = ", ".join(Counters.__dataclass_fields__)
            raise Refused("bad_request", f"no counter {name!r}; there are {known}")
        counters = self._smsc.counters
        return lambda: int(getattr(counters, name)) >= request.at_least

    def _show(self, received: Received) -> None:
        self._write({"event": "received", "message": received._asdict()})

    def _write(self, answer: dict[str, Any]) -> None:
        line = json.dumps(answer).encode() + b"\n"
        if self._paused:
            self._unread_bytes += len(line)
            if self._unread_bytes > CONTROL_UNREAD_BYTES_MAX:
                self._log.warn("control connection cut: its client does not read")
                self.transport.abortConnection()
                return
        self.transport.write(line)


def listen(
    reactor: net.Reactor, smsc: Smsc, host: str = "127.0.0.1", port: int = 0
) -> "Deferred[net.Port]":
    """Serve the control protocol for ``smsc``; port 0 takes a free one."""
    return net.listen(reactor, host, port, lambda: ControlServer(smsc))


def _sent(message: Message) -> dict[str, Any]:
    return {
        "message": message.serial,
        "parts": len(message.deliveries),
        "state": message.state,
    }


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"ok": False, "reason": refused.reason, "error": str(refused)}


def _plain(invalid: ValidationError) -> str:
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"])))
        for each in invalid.errors(include_url=False, include_input=False)
    )
