"""One transport and its session: octets to events, silence to an end, backpressure both ways."""

import struct
from collections.abc import Iterator

import pytest
from memory_smsc import MemorySmsc
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from virtual_reactor import VirtualClock, VirtualReactor

from smsd.gateway.commit_lane import Inbound
from smsd.gateway.intake import read_message
from smsd.gateway.link import BindBody, Link
from smsd.smpp.codec import encode
from smsd.smpp.events import Bound, Lost, Request, Response
from smsd.smpp.limits import SessionLimits
from smsd.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    Body,
    Command,
    DataSm,
    DeliverSm,
    Outbind,
    Status,
    SubmitSm,
    SubmitSmResp,
)
from smsd.smpp.session import Role, Session

BIND = BindTransceiver("smsd", "secret")
MO = DeliverSm(source_addr="994500000001", destination_addr="8103", short_message=b"2 AZE 1111111")
MT = SubmitSm(source_addr="8103", destination_addr="994500000001", short_message=b"yes")
LIMITS = SessionLimits(
    pdu_bytes_max=1_024,
    window=2,
    bind_timeout_s=10,
    response_timeout_s=30,
    enquire_link_s=20,
    unbind_timeout_s=3,
)


class Owner:
    """Writes down, in order, what a link tells its owner."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.room_at_closing = -1

    def requests_came(self, link: Link, requests: list[Request]) -> None:
        """See `LinkOwner`."""
        self.told.append(("requests", *requests))

    def responses_came(self, link: Link, responses: list[Response | Lost]) -> None:
        """See `LinkOwner`."""
        self.room_at_closing = link.room
        self.told.append(("responses", *responses))

    def peer_erred(self, link: Link, reason: str) -> None:
        """See `LinkOwner`."""
        self.told.append(("fault", reason))

    def link_bound(self, link: Link, bound: Bound) -> None:
        """See `LinkOwner`."""
        self.told.append(("bound", bound.peer_system_id))

    def link_closed(self, link: Link, reason: str) -> None:
        """See `LinkOwner`."""
        self.told.append(("closed", reason))


class Ends:
    """A link, its owner and the SMSC at the other end, in virtual time."""

    def __init__(self, bind: BindBody = BIND) -> None:
        self.reactor = VirtualReactor()
        self.owner = Owner()
        session = Session(Role.ESME, LIMITS)
        clock = VirtualClock(self.reactor)
        self.link = Link(self.reactor, clock, session, bind, self.owner)
        self.smsc = MemorySmsc(self.link, self.reactor)
        self.wire = self.smsc.wire

    def pass_time(self, seconds: float) -> None:
        """Tick by tick, as a running reactor would, carrying nothing."""
        self.reactor.pump([0.5] * round(seconds / 0.5))

    def commands(self) -> list[int]:
        """The command_id of every PDU written and not yet carried, one write a PDU."""
        return [struct.unpack_from(">I", write, 4)[0] for write in self.wire.writes]

    def inbound(self, sequence: int, body: DeliverSm | DataSm = MO) -> Inbound:
        """A message that this link brought."""
        data_sm = isinstance(body, DataSm)
        response = Command.DATA_SM_RESP if data_sm else Command.DELIVER_SM_RESP
        return Inbound(read_message(body, "one", 0), self.link, sequence, response)


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A link that has asked to bind."""
    both = Ends()
    yield both
    if both.smsc.open:
        both.smsc.hang_up()
    assert not both.reactor.getDelayedCalls(), "a link that is gone leaves no timer"


@pytest.mark.parametrize(
    "bind",
    [BindTransceiver("smsd", "s"), BindTransmitter("smsd", "s"), BindReceiver("smsd", "s")],
    ids=["transceiver", "transmitter", "receiver"],
)
def test_it_binds_as_told(bind: BindBody) -> None:
    """The bind goes out with the connection; there is room only once the SMSC lets us in."""
    ends = Ends(bind)
    assert type(ends.smsc.bind_body()) is type(bind)
    assert (ends.link.room, ends.owner.told) == (0, [])
    ends.smsc.accept()
    assert ends.owner.told == [("bound", "memory")]
    assert ends.link.room == 2


def test_a_refused_bind_ends_with_the_smscs_status(ends: Ends) -> None:
    """We hang up, and the owner hears the status in words once the transport is gone."""
    ends.smsc.refuse(Status.ESME_RINVPASWD)
    assert ends.wire.disconnecting
    assert ends.owner.told == []
    ends.smsc.hang_up()
    assert ends.owner.told == [("closed", "bind refused: ESME_RINVPASWD (0xe)")]


def test_a_connection_that_ends_before_the_bind_is_told(ends: Ends) -> None:
    """The reason is the transport's."""
    ends.smsc.hang_up()
    assert ends.owner.told == [("closed", "Connection was closed cleanly.")]
    assert ends.link.gone.called


def test_a_bind_that_is_not_answered_ends_in_time(ends: Ends) -> None:
    """Up to bind_timeout_s nothing happens, at it we hang up."""
    ends.pass_time(9.5)
    assert not ends.wire.disconnecting
    ends.pass_time(0.5)
    assert ends.wire.disconnecting
    ends.smsc.hang_up()
    assert ends.owner.told == [("closed", "not bound in time")]


def test_a_bind_response_and_what_is_glued_to_it_come_in_order(ends: Ends) -> None:
    """SMS in the same segment find an owner that knows it is bound."""
    resp = encode(BindTransceiverResp(system_id="x"), 1)
    ends.link.dataReceived(resp + encode(MO, 7) + encode(MO, 8))
    assert [item[0] for item in ends.owner.told] == ["bound", "requests"]
    assert ends.owner.told[1] == ("requests", Request(7, MO), Request(8, MO))


def test_an_outbind_meets_a_bind_that_is_on_its_way(ends: Ends) -> None:
    """Who asks us to bind as receiver gets no answer, and the bind that was configured stands."""
    ends.smsc.say(encode(Outbind("centre", "secret"), 1))
    assert not ends.wire.disconnecting
    assert not ends.smsc.responses
    ends.smsc.accept()
    assert ends.owner.told == [("bound", "memory")]


def test_an_alert_is_taken_and_goes_nowhere(ends: Ends) -> None:
    """A phone that can be reached again interests nobody here: no answer, no fault, no request."""
    ends.smsc.accept()
    ends.link.dataReceived(encode(AlertNotification(1, 1, "994500000001", 0, 0, "8103"), 9))
    assert not ends.wire.writes
    assert ends.owner.told == [("bound", "memory")]


@pytest.mark.parametrize("size", [1, 2, 3, 16, 61])
def test_any_cut_of_the_stream_gives_the_same(ends: Ends, size: int) -> None:
    """Requests and responses, cut into segments of every kind, reach the owner once each."""
    ends.smsc.accept()
    ends.link.request(MT, "a")
    ends.link.request(MT, "b")
    ends.link.flush()
    ends.smsc.exchange()
    first, second = ends.smsc.requests
    stream = (
        encode(MO, 100)
        + encode(SubmitSmResp(message_id="1"), second.sequence)
        + encode(SubmitSmResp(message_id="2"), first.sequence)
        + encode(MO, 101)
    )
    ends.owner.told.clear()
    for start in range(0, len(stream), size):
        ends.link.dataReceived(stream[start : start + size])
    came = [item for told in ends.owner.told for item in told[1:]]
    assert [item.sequence for item in came if isinstance(item, Request)] == [100, 101]
    assert [item.context for item in came if isinstance(item, Response)] == ["b", "a"]
    assert ends.link.room == 2


def test_a_batch_is_acknowledged_in_one_write(ends: Ends) -> None:
    """deliver_sm and data_sm side by side, each with its own response, all ESME_ROK."""
    ends.smsc.accept()
    data = DataSm(source_addr="994500000002", destination_addr="8103")
    bodies: list[Body] = [MO, data, MO]
    for context, body in enumerate(bodies):
        ends.smsc.send(body, context)
    ends.smsc.exchange()
    requests = ends.owner.told[-1][1:]
    sequences = [request.sequence for request in requests if isinstance(request, Request)]
    ends.link.acknowledge(
        [
            ends.inbound(sequence, body)
            for sequence, body in zip(sequences, bodies, strict=True)
            if isinstance(body, DeliverSm | DataSm)
        ]
    )
    assert len(ends.wire.writes) == 1
    ends.smsc.exchange()
    assert ends.smsc.responses == {0: 0, 1: 0, 2: 0}


def test_put_off_messages_stay_with_the_smsc(ends: Ends) -> None:
    """ESME_RX_T_APPN for each, in one write."""
    ends.smsc.accept()
    ends.smsc.send(MO, "a")
    ends.smsc.send(MO, "b")
    ends.smsc.exchange()
    first, second = (item for item in ends.owner.told[-1][1:] if isinstance(item, Request))
    ends.link.put_off([ends.inbound(first.sequence), ends.inbound(second.sequence)])
    assert len(ends.wire.writes) == 1
    ends.smsc.exchange()
    assert ends.smsc.responses == {"a": Status.ESME_RX_T_APPN, "b": Status.ESME_RX_T_APPN}


def test_acknowledging_on_a_link_that_is_gone_does_no_harm(ends: Ends) -> None:
    """A commit may outlive its link; the SMSC sends such a message again."""
    ends.smsc.accept()
    ends.smsc.hang_up()
    ends.link.acknowledge([ends.inbound(1)])
    ends.link.put_off([ends.inbound(2)])
    ends.link.flush()
    assert not ends.wire.writes


def test_what_was_in_flight_is_lost_before_the_link_is_closed(ends: Ends) -> None:
    """The owner hears of each lost request while the link takes no more, and of the end last."""
    ends.smsc.accept()
    ends.link.request(MT, "a")
    ends.link.request(MT, "b")
    ends.link.flush()
    ends.smsc.exchange()
    assert ends.link.in_flight
    ends.smsc.hang_up()
    lost = ("responses", Lost("a", "closed"), Lost("b", "closed"))
    closed = ("closed", "Connection was closed cleanly.")
    assert ends.owner.told[-2:] == [lost, closed]
    assert ends.owner.room_at_closing == 0
    assert not ends.link.in_flight


def test_silence_is_questioned_and_no_answer_ends_the_link(ends: Ends) -> None:
    """enquire_link after enquire_link_s of silence; response_timeout_s later we hang up."""
    ends.smsc.accept()
    ends.pass_time(19.5)
    assert not ends.wire.writes
    ends.pass_time(0.5)
    assert ends.commands() == [Command.ENQUIRE_LINK]
    ends.pass_time(29.5)
    assert not ends.wire.disconnecting
    ends.pass_time(0.5)
    assert ends.wire.disconnecting
    ends.smsc.hang_up()
    assert ends.owner.told[-1] == ("closed", "enquire_link was not answered")


def test_an_answered_enquire_link_keeps_the_link(ends: Ends) -> None:
    """A quiet night of enquire_links is a healthy link."""
    ends.smsc.accept()
    for _ in range(100):
        ends.pass_time(20)
        assert ends.commands() == [Command.ENQUIRE_LINK]
        ends.smsc.exchange()
    ends.pass_time(15)
    assert not ends.wire.disconnecting


def test_a_request_without_an_answer_is_lost_in_time(ends: Ends) -> None:
    """Its place in the window is free again, and the link stays."""
    ends.smsc.accept()
    ends.link.request(MT, "a")
    ends.link.flush()
    ends.smsc.exchange()
    for _ in range(2):
        ends.pass_time(14.5)
        ends.smsc.say(encode(MO, 50))
    ends.owner.told.clear()
    ends.pass_time(0.5)
    assert ends.owner.told == []
    ends.pass_time(0.5)
    assert ends.owner.told == [("responses", Lost("a", "timeout"))]
    assert ends.link.room == 2


def test_a_peer_that_does_not_read_is_not_read_from(ends: Ends) -> None:
    """The transport pauses us, its producer, so we pause it; when it drains both go on."""
    ends.smsc.accept()
    assert ends.wire.producer is ends.link
    assert ends.wire.streaming
    ends.link.pauseProducing()
    assert ends.wire.producerState == "paused"
    ends.link.resumeProducing()
    assert ends.wire.producerState == "producing"


def test_a_transport_that_drains_when_the_link_is_gone_does_no_harm(ends: Ends) -> None:
    """Twisted may tell its producer to go on after the connection has ended."""
    ends.smsc.accept()
    ends.link.pauseProducing()
    ends.smsc.hang_up()
    ends.link.resumeProducing()


def test_unbind_says_goodbye_and_leaves_when_it_is_answered(ends: Ends) -> None:
    """unbind, unbind_resp, hang up; `gone` fires with the transport's end."""
    ends.smsc.accept()
    ends.link.unbind()
    assert ends.link.room == 0
    ends.smsc.exchange()
    assert ends.wire.disconnecting
    assert not ends.link.gone.called
    ends.smsc.hang_up()
    assert ends.link.gone.called
    assert ends.owner.told[-1] == ("closed", "unbound")


def test_unbind_without_an_answer_leaves_in_time(ends: Ends) -> None:
    """unbind_timeout_s, then we hang up all the same."""
    ends.smsc.accept()
    ends.link.unbind()
    ends.pass_time(2.5)
    assert not ends.wire.disconnecting
    ends.pass_time(0.5)
    assert ends.wire.disconnecting


def test_unbind_before_being_bound_just_leaves(ends: Ends) -> None:
    """There is no unbind in state OPEN."""
    ends.link.unbind()
    assert ends.wire.disconnecting
    assert not ends.wire.writes


def test_an_smsc_that_unbinds_us_is_answered_and_left(ends: Ends) -> None:
    """unbind_resp is written before we hang up."""
    ends.smsc.accept()
    ends.link.dataReceived(struct.pack(">IIII", 16, Command.UNBIND, 0, 9))
    assert ends.commands() == [Command.UNBIND_RESP]
    assert ends.wire.disconnecting
    ends.link.connectionLost(Failure(ConnectionDone()))
    ends.smsc.open = False
    assert ends.owner.told[-1] == ("closed", "unbound by the peer")


def test_octets_that_are_no_smpp_are_nacked_and_the_link_ends(ends: Ends) -> None:
    """The nack goes out before the end; the owner is told once."""
    ends.smsc.accept()
    ends.link.dataReceived(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert ends.commands() == [Command.GENERIC_NACK]
    assert ends.wire.disconnecting
    assert [item[0] for item in ends.owner.told] == ["bound", "fault"]


@pytest.mark.parametrize("choked", [True, False])
def test_a_connection_that_will_not_close_is_cut(ends: Ends, choked: bool) -> None:
    """A peer that never reads would keep what we still have to write, and the link, for ever."""
    ends.smsc.accept()
    if choked:
        ends.link.pauseProducing()
    ends.link.unbind()
    ends.pass_time(3)
    assert ends.wire.disconnecting
    assert ends.wire.producer is None, "Twisted closes nothing while a producer may write"
    assert not ends.wire.disconnected
    ends.pass_time(5)
    assert ends.wire.disconnected


def test_leaving_twice_is_leaving_once(ends: Ends) -> None:
    """A stop that meets a refused bind must not trip over its own closing."""
    ends.link.unbind()
    ends.smsc.refuse(Status.ESME_RBINDFAIL)
    ends.link.unbind()
    assert ends.wire.disconnecting
