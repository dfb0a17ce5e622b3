"""How a session ends, in virtual time, and that it accounts for everything."""

from math import inf

import pytest
from two_ends import MO, MT, Ends, bound_ends, carry, faults, open_ends, sent

from smsd.smpp.codec import encode
from smsd.smpp.events import (
    Closed,
    Disconnect,
    Lost,
    PeerFault,
    Response,
    Unbound,
)
from smsd.smpp.pdu import (
    Command,
    DeliverSmResp,
    Status,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from smsd.smpp.session import NotBound, Role, State


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_either_end_may_unbind(role: Role) -> None:
    """The one that asks and the one that is asked both end in good order."""
    session, peer = bound_ends().of(role)
    session.unbind(1.0)
    assert session.state is State.UNBINDING
    assert carry(session, peer, 1.0) == [Unbound(by_peer=True), Disconnect("unbound by the peer")]
    assert carry(peer, session, 1.0) == [Unbound(by_peer=False), Disconnect("unbound")]
    assert (session.state, peer.state) == (State.CLOSED, State.CLOSED)


def test_unbinds_that_cross_end_both() -> None:
    """Two ends that unbind at once answer each other and are done."""
    ends = bound_ends()
    ends.esme.unbind(0.0)
    ends.smsc.unbind(0.0)
    crossing = ends.smsc.take_output()
    assert carry(ends.esme, ends.smsc)[0] == Unbound(by_peer=True)
    assert ends.esme.receive(crossing, 0.0)[0] == Unbound(by_peer=True)


def test_an_unanswered_unbind_ends_the_session_all_the_same() -> None:
    """The peer has 3 s to answer our unbind; no enquire_link is sent meanwhile."""
    esme = bound_ends(now=0.0).esme
    esme.unbind(18.0)
    assert esme.next_tick() == 21.0
    assert esme.tick(20.9) == []
    assert sent(esme) == [("unbind", Status.ESME_ROK, 2)]
    assert esme.tick(21.0) == [Disconnect("unbind was not answered")]


def test_responses_are_still_taken_while_unbinding() -> None:
    """What was under way when we unbound gets its outcome if it comes before the answer."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    esme.unbind(0.0)
    segment = encode(SubmitSmResp("1"), sequence) + encode(UnbindResp(), sequence + 1)
    assert esme.receive(segment, 0.0) == [
        Response("mt", Status.ESME_ROK, SubmitSmResp("1")),
        Unbound(by_peer=False),
        Disconnect("unbound"),
    ]


def test_acknowledgements_still_leave_while_unbinding() -> None:
    """A batch committed after our unbind is acknowledged, so the SMSC does not send it again."""
    esme = bound_ends().esme
    esme.receive(encode(MO, 7), 0.0)
    esme.unbind(0.0)
    esme.acknowledge([7])
    assert sent(esme)[1:] == [("deliver_sm_resp", Status.ESME_ROK, 7)]


def test_what_came_before_the_peers_unbind_is_answered_before_it() -> None:
    """A request and an unbind in one segment are answered in their order, until the last word."""
    smsc = bound_ends().smsc
    smsc.receive(encode(MT, 7) + encode(Unbind(), 8), 0.0)
    smsc.answer(7, Command.SUBMIT_SM_RESP, message_id="1")
    assert sent(smsc) == [
        ("submit_sm_resp", Status.ESME_ROK, 7),
        ("unbind_resp", Status.ESME_ROK, 8),
    ]
    smsc.answer(7, Command.SUBMIT_SM_RESP, message_id="1")
    assert sent(smsc) == []


def test_only_a_bound_session_unbinds() -> None:
    """unbind in OPEN, or a second time, is a bug of the caller."""
    esme = open_ends().esme
    with pytest.raises(NotBound):
        esme.unbind(0.0)
    esme = bound_ends().esme
    esme.unbind(0.0)
    with pytest.raises(NotBound):
        esme.unbind(0.0)


def test_everything_unanswered_comes_back_when_the_transport_goes() -> None:
    """closed() accounts for each request, the late ones as timeouts, and says Closed last."""
    esme = bound_ends().esme
    esme.request(MT, "late", 0.0)
    esme.request(MT, "a", 10.0)
    esme.request(MT, "b", 10.0)
    esme.receive(encode(MO, 1)[:20], 10.0)
    assert faults(esme.closed(30.0)) == [
        Lost("late", "timeout"),
        PeerFault,
        Lost("a", "closed"),
        Lost("b", "closed"),
        Closed(),
    ]
    assert esme.state is State.CLOSED
    assert esme.next_tick() == inf
    assert esme.take_output() == b""


def test_requests_outlive_a_disconnect_until_the_transport_is_gone() -> None:
    """After Disconnect a request may still time out, and what is left is lost at closed()."""
    ends: Ends = bound_ends()
    ends.esme.request(MT, "early", 0.0)
    ends.esme.request(MT, "mt", 5.0)
    ends.smsc.unbind(6.0)
    ends.smsc.answer(2, Command.SUBMIT_SM_RESP)  # Behind its unbind, so too late.
    carry(ends.smsc, ends.esme, 6.0)
    assert ends.esme.tick(30.0) == [Lost("early", "timeout")]
    assert ends.esme.closed(31.0) == [Lost("mt", "closed"), Closed()]


def test_an_ended_session_takes_answers_without_effect() -> None:
    """A commit may end after the link did: its acknowledgements go nowhere, and nothing raises."""
    ends = bound_ends()
    carry_nothing = [Closed()]
    assert ends.esme.closed(0.0) == carry_nothing
    ends.esme.acknowledge([1])
    ends.esme.answer(1, Command.DELIVER_SM_RESP)
    ends.esme.answer_with(1, DeliverSmResp())
    ends.esme.refuse_bind(1, Status.ESME_RSYSERR)
    ends.esme.accept_bind(1, "centre", 0.0)
    assert ends.esme.take_output() == b""
