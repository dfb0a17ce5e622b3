"""Two sessions over a wire that cuts, delays and breaks, driven anyhow by Hypothesis.

What each owes its application is kept in ``Books``, which fail at once; the machine adds what
only both ends together can show. Octets of a peer that lies are written into the same wire.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from session_books import Books
from two_ends import BINDS, LIMITS, MO, MT

from smsd.smpp.codec import encode, encode_bare
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.events import BindRequested, Bound, Event, Request, Response
from smsd.smpp.layouts import BY_BODY
from smsd.smpp.pdu import (
    Body,
    Command,
    DataSm,
    DataSmResp,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    SubmitSmResp,
)
from smsd.smpp.session import Role, Session, State
from smsd.smpp.states import BOUND
from smsd.smpp.window import SEQUENCE_MAX

roles = st.sampled_from(Role)
# Small cuts, whole PDUs, and all that is there.
sizes = st.integers(1, 40) | st.sampled_from([61, 200, 1 << 20])
counts = st.integers(1, LIMITS.window + 1)
# Timers are met exactly, just before and long after.
waits = st.sampled_from([0.0, 0.5, 2.9, 3.0, 5.0, 9.9, 10.0, 20.0, 30.0]) | st.sampled_from(
    [0.0, 3_600.0, 1e6]
)
modes = st.sampled_from([*BINDS, State.BOUND_TRX, State.BOUND_TRX, State.OPEN])
first_sequences = st.sampled_from([1, 2, SEQUENCE_MAX - 2, SEQUENCE_MAX])
numbers = st.integers(1, 12) | st.sampled_from([0, SEQUENCE_MAX, 0xFFFFFFFF])
answers: st.SearchStrategy[Body] = st.sampled_from(
    [SubmitSmResp("7f"), DeliverSmResp(), DataSmResp("7f"), GenericNack()]
)
statuses = st.sampled_from([0, 0x58, 0x400])
# Any command in a header alone, and some that do not exist.
commands = st.sampled_from([*map(int, Command), 0, 0x112, 0x80000112])

Ends = dict[Role, Books]

# When one end has said Disconnect, the transport goes next: mostly, nothing else is worth a step.
while_both_live = precondition(lambda self: not any(books.ended for books in self.ends.values()))


class TwoEnds(RuleBasedStateMachine):
    """An ESME, an SMSC, what is on its way between them, and the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    @initialize(first_sequence=first_sequences, mode=modes)
    def connect(self, first_sequence: int, mode: State) -> None:
        """A transport and two sessions: bound in ``mode``, or with nothing said yet."""
        self.ends: Ends = {}
        for role in Role:
            session = Session(role, LIMITS, first_sequence)
            session.start(self.now)
            self.ends[role] = Books(session, role, LIMITS)
        self.binds: list[BindRequested] = []
        self.unanswered: dict[Role, list[Request]] = {role: [] for role in Role}
        self.lied = False
        # Requests as each end sent and received them, by the service_type that numbers them.
        self.sent: dict[Role, list[str]] = {role: [] for role in Role}
        self.came: dict[Role, list[str]] = {role: [] for role in Role}
        if mode in BOUND:
            self.bind(BINDS[mode])
            self.carry_all()
            self.decide(accept=True)
            self.carry_all()

    # What the two applications do.

    @rule(body=st.sampled_from(list(BINDS.values())))
    @precondition(lambda self: self.state(Role.ESME) is State.OPEN)
    def bind(self, body: Any) -> None:
        """The ESME asks to be bound, unless it has asked before."""
        esme = self.ends[Role.ESME]
        if not esme.session._binding:
            esme.session.bind(body, self.now)
            assert len(esme.said()) == 1

    @rule(accept=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.binds)
    def decide(self, accept: bool) -> None:
        """The SMSC's application has looked the account up, perhaps too late."""
        smsc, asked = self.ends[Role.SMSC], self.binds.pop()
        if accept:
            smsc.session.accept_bind(asked.sequence, "centre", self.now)
        else:
            smsc.session.refuse_bind(asked.sequence, 0x0D)
        assert len(smsc.said()) == (not smsc.ended)

    @rule(role=roles, kind=st.sampled_from(["own", "own", "data", "the peer's"]), count=counts)
    @while_both_live
    def request(self, role: Role, kind: str, count: int) -> None:
        """Whether it may or not, and whether there is room or not; ``Books`` know which."""
        own, others = (MT, MO) if role is Role.ESME else (MO, MT)
        body: Any = {"own": own, "data": DataSm(), "the peer's": others}[kind]
        for _ in range(count):
            name = str(len(self.sent[role]))
            if self.ends[role].request(body._replace(service_type=name), self.now) is not None:
                self.sent[role].append(name)

    @rule(role=roles, at=st.integers(0, 5), status=st.sampled_from([0, 0, 0, 0x58, 0x400]))
    @precondition(lambda self: any(self.unanswered.values()))
    def answer(self, role: Role, at: int, status: int) -> None:
        """In any order, well or ill; some are never answered."""
        books, open_requests = self.ends[role], self.unanswered[role]
        if not open_requests:
            return
        request = open_requests.pop(at % len(open_requests))
        response = BY_BODY[type(request.body)].command | RESPONSE_BIT
        books.session.answer(request.sequence, response, status, "7f")
        assert [pdu.sequence for pdu in books.said()] == [request.sequence] * (not books.ended)

    @rule(role=roles)
    @precondition(lambda self: any(self.state(role) in BOUND for role in Role))
    @while_both_live
    def unbind(self, role: Role) -> None:
        """Either end may want to leave."""
        books = self.ends[role]
        if books.session.state in BOUND:
            books.session.unbind(self.now)
            assert len(books.said()) == 1

    # What the network does.

    @rule(role=roles, size=sizes)
    def carry(self, role: Role, size: int) -> None:
        """Some octets arrive at ``role``."""
        self.receive(role, self.ends[_peer(role)].take(size))

    @rule()
    def carry_all(self) -> None:
        """Both ways, until nothing is under way."""
        while any(books.wire for books in self.ends.values()):
            for role in Role:
                self.receive(role, self.ends[_peer(role)].take())

    @rule(wait=waits)
    @while_both_live
    def pass_time(self, wait: float) -> None:
        """The clock may jump far ahead, never back; a tick comes late or on time."""
        self.now += wait
        for books in self.ends.values():
            books.tick(self.now)

    @rule(wait=waits)
    @while_both_live
    def stand_still(self, wait: float) -> None:
        """Time passes and no tick comes: what arrives next finds timers that have run out."""
        self.now += wait

    @rule(first_sequence=first_sequences, mode=modes)
    def break_the_link(self, first_sequence: int, mode: State) -> None:
        """What is under way is gone; both ends settle everything, and a new transport comes up."""
        self.close()
        self.connect(first_sequence, mode)

    @rule(role=roles, answer=answers, status=statuses, number=numbers)
    @while_both_live
    def answer_anything(self, role: Role, answer: Body, status: int, number: int) -> None:
        """A peer answers ``role``, mostly under a number that awaits an answer, maybe another."""
        waiting = list(self.ends[role].waiting.values())
        sequence = waiting[number % len(waiting)] if waiting else number
        self.lie(role, encode(answer, sequence, status))

    @rule(role=roles, command=commands, status=statuses, number=numbers)
    @while_both_live
    def say_anything(self, role: Role, command: int, status: int, number: int) -> None:
        """A peer says to ``role`` what has no body, no sense, or an end in it."""
        self.lie(role, encode_bare(command, number, status))

    @rule(role=roles)
    @while_both_live
    def enquire(self, role: Role) -> None:
        """Asked between two PDUs, a session answers at once in any state but the last."""
        books, peer = self.ends[role], self.ends[_peer(role)]
        self.receive(role, peer.take())
        if books.session._framer.held_bytes or books.session.state is State.CLOSED:
            return
        before = len(books.wire)
        self.receive(role, encode(EnquireLink(), 0x1234))
        assert (
            bytes(books.wire[before:])[4:16]
            == (encode_bare(Command.ENQUIRE_LINK_RESP, 0x1234, 0)[4:])
        )

    @rule(role=roles)
    def come_round(self, role: Role) -> None:
        """Two thousand million requests later the numbers begin again, some of them in use."""
        self.ends[role].session._window._sequence = SEQUENCE_MAX - 1

    # What must hold.

    @invariant()
    def one_is_in_a_bound_state_only_if_asked_to(self) -> None:
        """Without lies the ESME is bound only where the SMSC has bound it, in the same way."""
        esme, smsc = self.state(Role.ESME), self.state(Role.SMSC)
        if esme in BOUND and smsc in BOUND and not self.lied:
            assert esme is smsc

    @invariant()
    def what_came_is_what_was_sent(self) -> None:
        """Each request once, in its order, and none that nobody sent."""
        for role in Role:
            came = self.came[role]
            if not self.lied:
                assert came == self.sent[_peer(role)][: len(came)]

    def lie(self, role: Role, octets: bytes) -> None:
        """Write octets for ``role`` behind what its peer said before."""
        self.lied = True
        self.ends[_peer(role)].wire += octets

    def teardown(self) -> None:
        """At the end of each run, too, every request has its outcome."""
        self.close()

    def close(self) -> None:
        """Both transports end."""
        for books in self.ends.values():
            books.close(self.now)

    def state(self, role: Role) -> State:
        """Where an end is."""
        return self.ends[role].session.state

    def receive(self, role: Role, octets: bytes) -> None:
        """Let an end read, and note what it hands over."""
        for event in self.ends[role].receive(octets, self.now) if octets else ():
            self._note(role, event)

    def _note(self, role: Role, event: Event) -> None:
        match event:
            case BindRequested():
                self.binds.append(event)
            case Request(_, body):
                self.unanswered[role].append(event)
                self.came[role].append(getattr(body, "service_type", ""))
            case Bound(mode, _):
                assert role is Role.ESME
                assert mode is self.state(role) or self.ends[role].ended
            case Response(_, status, body):
                assert body is not None or status or self.lied


def _peer(role: Role) -> Role:
    return Role.SMSC if role is Role.ESME else Role.ESME


TestTwoEnds = TwoEnds.TestCase
TestTwoEnds.settings = settings(
    max_examples=300,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
