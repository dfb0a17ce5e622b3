"""The replies of one SMSC on their way out: from the store, through the window, to an outcome.

Urgent replies leave first: under overload, who needs a doctor does not wait behind who shops.
"""

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import structlog
from twisted.internet.interfaces import IReactorTime

from smsd.config import SmscSection
from smsd.gateway.backlog import Backlog
from smsd.gateway.brake import Brake
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane
from smsd.gateway.failover import Failover
from smsd.gateway.link import Link
from smsd.smpp import message_ids
from smsd.smpp.events import Lost, Response
from smsd.smpp.long_messages import LongMessages, segmenter
from smsd.smpp.pdu import Status, SubmitSm, SubmitSmResp, status_text
from smsd.smpp.references import References
from smsd.smpp.statuses import Kind, passing
from smsd.smpp.text import Alphabet
from storage import Reply, ReplyOutcome, ReplyState

_log = structlog.get_logger("smsd.outbox")

_US_PER_S = 1_000_000
# A third of what a NamedTuple's own constructor takes, several times for every SMS.
_new = tuple.__new__
# SMPP 3.4 §4.4.1: destination_addr has 21 octets, its NUL included. A data_sm may come from a
# longer source_addr (§4.7.1), which no reply can then reach.
_PHONE_CHARACTERS_MAX = 20


class _Sending:
    """A reply whose segments are in the window, or next to go there."""

    __slots__ = ("lost", "message_ids", "parts_left", "reply", "status")

    def __init__(self, reply: Reply, parts: int) -> None:
        self.reply = reply
        self.parts_left = parts
        self.message_ids: list[str] = []
        self.status = 0  # the first error
        self.lost = False  # the outcome of a segment is unknown


class _Ready(NamedTuple):
    """A segment to submit."""

    sending: _Sending
    body: SubmitSm


class OutboxWatcher(Protocol):
    """Who is told what leaves."""

    def submitted(self, smsc: str, turnarounds_us: list[int]) -> None:
        """Replies went to the SMSC, so long after their SMS came; microseconds of the wall clock.

        One is negative where that clock was set back in between.
        """

    def reply_settled(self, smsc: str, state: ReplyState) -> None:
        """A reply reached its outcome."""

    def throttled(self, smsc: str) -> None:
        """The SMSC answered that it is given too much."""


class Outbox:
    """Sends the replies of one SMSC over whichever of its links may transmit."""

    def __init__(
        self,
        reactor: IReactorTime,
        clock: Clock,
        settings: SmscSection,
        lane: CommitLane,
        memory_max: int,
        watcher: OutboxWatcher,
        inherited_id_max: int = 0,
    ) -> None:
        """Replies up to `inherited_id_max` were stored by a daemon before this one."""
        self._reactor = reactor
        self._clock = clock
        self._settings = settings
        self._name = settings.name
        self._lane = lane
        self._watcher = watcher
        self._urgent, self._usual = (
            Backlog(
                lane,
                settings.name,
                urgent,
                memory_max,
                inherited_id_max,
                self.pump,
                self._try_later,
            )
            for urgent in (True, False)
        )
        self.failover = Failover(reactor, settings)
        self._ready: deque[_Ready] = deque()
        self._links: list[Link] = []
        self._brake = Brake(reactor, clock, settings, self.pump, self._put_back)
        self._turned_away_at = self._brake.turned_away_at
        self._passing = passing(
            settings.temporary_statuses, settings.permanent_statuses, settings.congestion_statuses
        )
        self._gives_up = settings.unknown_outcome == "give_up"
        self._segment = segmenter(
            Alphabet(settings.default_alphabet),
            LongMessages(settings.long_messages),
            References(settings.reference_phones_max),
        )
        self._addresses = (  # of a submit_sm, from service_type to dest_addr_npi
            "",
            settings.source_ton,
            settings.source_npi,
            settings.address,
            settings.destination_ton,
            settings.destination_npi,
        )
        self._registered_delivery = int(settings.receipts)  # SMPP 3.4 §5.2.17: on any end
        self._id_of = message_ids.of_response(settings.message_id_form)
        self._turnarounds_us: list[int] = []  # of replies just submitted
        self._throttled = 0  # submissions answered with congestion

    @property
    def depth(self) -> int:
        """Replies in memory that have not been submitted."""
        return len(self._urgent) + len(self._usual) + len(self._ready) + self._brake.resting

    @property
    def rate_per_s(self) -> float:
        """Messages a second that may leave now; 0: no limit."""
        return self._brake.rate_per_s

    @property
    def limit_per_s(self) -> float:
        """Messages a second that may leave when nothing slows us down; 0: no limit."""
        return self._brake.limit_per_s

    def pace(self, rate_per_s: float | None) -> None:
        """So many messages a second at most, 0: no limit; None: what is configured again."""
        self._brake.pace(rate_per_s)

    def describe(self) -> dict[str, Any]:
        """How it fares, ready for JSON.

        oldest_us: when the SMS came that has waited longest for its reply; None: none waits.
        throttled: submissions that the SMSC answered with congestion, since the start. Rates in
        messages a second, 0: no limit; slowed_by: what the SMSC said, while the rate is lower.
        """
        return {
            "replies_waiting": self.depth,
            "oldest_us": self.oldest_us,
            "throttled": self._throttled,
            "rate_per_s": self.rate_per_s,
            "limit_per_s": self.limit_per_s,
            "configured_per_s": self._settings.throughput,
            "slowed_by": self._brake.slowed_by,
            "failing_over_to": self.failover.through,
        }

    @property
    def oldest_us(self) -> int | None:
        """When the SMS came that has waited longest for its reply to leave, of those in memory."""
        heads = (self._urgent.oldest_us, self._usual.oldest_us)
        return min((at_us for at_us in heads if at_us is not None), default=None)

    @property
    def in_flight(self) -> bool:
        """Whether submitted segments await their response."""
        return any(link.in_flight for link in self._links)

    @property
    def can_send(self) -> bool:
        """Whether a transmitting link is bound."""
        return bool(self._links)

    def look_on_disk(self) -> None:
        """Read replies that are stored and not in memory: at the start, or after a fault."""
        self._urgent.look_on_disk()
        self._usual.look_on_disk()

    def enqueue(self, replies: list[Reply]) -> None:
        """Take over replies that were just committed, and send."""
        urgent = [reply for reply in replies if reply.urgent]
        if urgent:
            self._urgent.add(urgent)
            replies = [reply for reply in replies if not reply.urgent]
        self._usual.add(replies)
        self.pump()

    def attach(self, link: Link) -> None:
        """A link was bound that may transmit."""
        self._links.append(link)
        self._brake.bound()
        self.failover.bind_there()
        self.pump()

    def detach(self, link: Link) -> None:
        """A link is gone; what it had in its window came back as lost before."""
        if link in self._links:
            self._links.remove(link)
            if not self._links:
                self.failover.bind_lost()
        if self._ready and not self._links:
            # When there is a link again, this half of a reply may be late.
            sending = self._ready[0].sending
            self._take_back(sending)
            self._put_back(sending.reply._replace(resent=True))

    def handle(self, responses: list[Response | Lost]) -> None:
        """Take note of what became of submitted segments, then send on."""
        not_taken = lost = unanswered = 0
        for response in responses:
            sending = response.context
            assert isinstance(sending, _Sending)
            sending.parts_left -= 1
            if isinstance(response, Lost):
                sending.lost = True
                not_taken += 1
                lost += 1
                unanswered += response.reason == "timeout"
            elif response.status:
                self._note_error(sending, response.status)
                not_taken += 1
            elif isinstance(response.body, SubmitSmResp):
                sending.message_ids.append(response.body.message_id)
            if sending.lost or sending.status:
                self._take_back(sending)
            if not sending.parts_left:
                self._conclude(sending)
        if lost < len(responses):
            self._brake.silences = 0
            if self._turned_away_at and not_taken < len(responses):
                self._brake.taken()
        elif unanswered:  # not where all went with their link
            self._brake.unanswered()
        self.pump()

    def pump(self) -> None:
        """Submit as much as the windows of the bound links and the SMSC's rate take."""
        allowed = left = self._brake.allowance()
        for link in self._links:
            sent = 0
            room = min(link.room, left)
            while sent < room and (self._ready or self._prepare_next()):
                sending, body = self._ready.popleft()
                link.request(body, sending)
                sent += 1
            if sent:
                link.flush()
                left -= sent
        if left < allowed:
            self._brake.left(allowed - left)
        if not left and self._links and (self.depth or self.failover.depth):
            self._brake.wake_in_time()
        if self._turnarounds_us:
            turnarounds_us, self._turnarounds_us = self._turnarounds_us, []
            self._watcher.submitted(self._settings.name, turnarounds_us)
        self.page_in()
        if self.failover.host is not None:
            self.failover.host.pump()

    def page_in(self) -> None:
        """Read on from disk where memory has run half empty."""
        self._urgent.page_in()
        self._usual.page_in()
        self.failover.page_in()

    def take(self) -> Reply | None:
        """For a host: the reply that is to leave next, urgent ones first; None: none in memory."""
        return self._urgent.next() or self._usual.next() or self.failover.take()

    def put_back(self, reply: Reply) -> None:
        """Back to its place: the oldest leaves first."""
        (self._urgent if reply.urgent else self._usual).put_back(reply)

    def _prepare_next(self) -> bool:
        """Turn the next reply into segments; False when there is none."""
        # Its own first, and in its own place: `take` would be one more call for every SMS.
        while reply := self._urgent.next() or self._usual.next() or self.failover.take():
            now_us = self._clock.utc_us()
            if now_us >= reply.not_after_us:
                self._settle(reply, ReplyState.EXPIRED, "", 0)
                continue
            if len(reply.phone) > _PHONE_CHARACTERS_MAX:
                self._refuse(reply, Status.ESME_RINVDSTADR)
                continue
            data_coding, esm_class, parts = self._segment(reply.text, reply.phone)
            sending = _Sending(reply, len(parts))
            validity = relative_time((reply.not_after_us - now_us) // _US_PER_S)
            # In the order of SubmitSm's fields; what no name stands for is 0 or empty.
            addresses = (*self._addresses, reply.phone)
            registered = self._registered_delivery
            coding = (esm_class, 0, 0, "", validity, registered, 0, data_coding, 0)
            for part in parts:  # short_message and TLVs
                fields = (*addresses, *coding, *part)
                self._ready.append(_new(_Ready, (sending, _new(SubmitSm, fields))))
            self._turnarounds_us.append(now_us - reply.received_at_us)
            return True
        return False

    def _note_error(self, sending: _Sending, status: int) -> None:
        sending.status = sending.status or status
        if self._passing.get(status) is Kind.CONGESTION:
            self._throttled += 1
            self._watcher.throttled(self._settings.name)

    def _conclude(self, sending: _Sending) -> None:
        """All segments of a reply have their response, or lost it."""
        reply, status = sending.reply, sending.status
        if status and status not in self._passing:
            self._refuse(reply, status)
            return
        if sending.lost:
            reply = reply._replace(resent=True)
            if self._gives_up:
                self._settle(reply, ReplyState.UNKNOWN, " ".join(sending.message_ids), status)
                return
        if status:
            self._brake.turned_away(reply, self._passing[status], status)
        elif sending.lost:
            self._put_back(reply)
        else:
            ids = sending.message_ids
            # An SMSC that names nothing has nothing to report on.
            awaits = tuple(map(self._id_of, ids)) if self._registered_delivery and all(ids) else ()
            self._settle(reply, ReplyState.SENT, " ".join(ids), 0, awaits)

    def _take_back(self, sending: _Sending) -> None:
        """Submit no further segment of a reply that will not arrive whole."""
        while self._ready and self._ready[0].sending is sending:
            self._ready.popleft()
            sending.parts_left -= 1

    def _put_back(self, reply: Reply) -> None:
        """To where it came from."""
        if reply.smsc == self._name:
            self.put_back(reply)
        else:
            self.failover.put_back(reply)

    def _refuse(self, reply: Reply, status: int) -> None:
        """A reply that this SMSC will never take."""
        _log.warning("reply_refused", smsc=self._settings.name, status=status_text(status))
        self._settle(reply, ReplyState.REFUSED, "", status)

    def _settle(
        self,
        reply: Reply,
        state: ReplyState,
        message_id: str,
        status: int,
        awaits: tuple[str, ...] = (),
    ) -> None:
        at_us = self._clock.utc_us()
        if self._turned_away_at:
            self._turned_away_at.pop(reply.id, None)
        self._watcher.reply_settled(self._name, state)
        elsewhere = reply.smsc != self._name and state is not ReplyState.EXPIRED
        fields = reply.id, state, at_us, message_id, status, reply.resent, reply.starts_permit
        self._lane.settle(_new(ReplyOutcome, (*fields, self._name, awaits, elsewhere)))

    def _try_later(self, call: Callable[[], None]) -> None:
        self._reactor.callLater(self._settings.retry_delay_s, call)


@lru_cache(maxsize=100_000)
def relative_time(seconds: int) -> str:
    """SMPP 3.4 §7.1.1.2: a span from the SMSC's own clock, YYMMDDhhmmss000R.

    Relative, so that the SMSC's clock need not agree with ours. Years and months are never
    used, since nobody says how long they are.
    """
    days, rest = divmod(max(1, min(seconds, 30 * 86_400)), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    return f"0000{days:02}{hours:02}{minutes:02}{rest:02}000R"
