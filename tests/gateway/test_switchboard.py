"""Suspending, resuming and reconnecting an SMSC while the gateway runs, in virtual time."""

from typing import Any

import pytest
from gateway_stage import GatewayStage, NewStage
from memory_smsc import MemorySmsc
from twisted.internet.defer import Deferred
from virtual_reactor import NOON_US

from smsd.gateway.switchboard import Switchboard
from smsd.smpp.events import Unbound
from smsd.smpp.pdu import Status

PHONE = "994500000001"


class Operator:
    """Asks the switchboard of a stage; `audit` is what it noted."""

    def __init__(self, stage: GatewayStage) -> None:
        self.stage = stage
        self.audit: list[tuple[str, ...]] = []
        self.board = Switchboard([stage.binds], self._note)

    async def _note(self, *line: str) -> None:
        self.audit.append(line)

    def ask(self, do: str, smsc: str = "one", **more: Any) -> "Deferred[dict[str, Any]]":
        """The answer to come."""
        request = {"do": do, "smsc": smsc, "who": "Leyla", "reason": "maintenance", **more}
        return self.board.answer(request)

    def told(self, asked: "Deferred[dict[str, Any]]", seconds: float = 0.1) -> dict[str, Any]:
        """What the answer is after so long."""
        steps = max(1, round(seconds / 0.1))
        for _ in range(steps):
            self.stage.pass_time(0.1)
        answers: list[dict[str, Any]] = []
        asked.addCallback(answers.append)
        [answer] = answers
        return answer


def hung_up(smsc: MemorySmsc) -> bool:
    """Whether we unbound and left; if so, the end of the connection follows."""
    if smsc.open and smsc.wire.disconnecting:
        assert any(isinstance(event, Unbound) for event in smsc.events)
        smsc.hang_up()
        return True
    return False


def test_a_suspended_smsc_is_unbound_and_left_alone(new_stage: NewStage) -> None:
    """It says so, with who and why in the audit; nothing connects for hours."""
    stage = new_stage().start()
    operator = Operator(stage)
    smsc = stage.bound()
    asked = operator.ask("suspend")
    stage.run()
    assert hung_up(smsc)
    answer = operator.told(asked)
    assert (answer["ok"], answer["changed"]) == (True, True)
    [told] = answer["smscs"]
    assert (told["smsc"], told["state"]) == ("one", "suspended")
    assert [(bind["bound"], bind["reason"]) for bind in told["binds"]] == [(False, "suspended")]
    assert operator.audit == [("Leyla", "smsc_suspend", "one", "maintenance")]
    stage.pass_time(10_000)
    assert stage.reactor.tcpClients == []


def test_a_suspension_waits_for_the_responses_that_are_due(new_stage: NewStage) -> None:
    """What was submitted gets its outcome; what was not waits for the resumption."""
    stage = new_stage(window=1).start()
    operator = Operator(stage)
    smsc = stage.bound()
    for number in range(2):
        smsc.text(b"1 AZE 1111111", str(int(PHONE) + number))
    stage.run()
    asked = operator.ask("suspend")
    stage.pass_time(0.1)
    assert not hung_up(smsc)
    smsc.answer(message_id="m1")
    stage.pass_time(0.1)
    assert hung_up(smsc)
    assert operator.told(asked)["smscs"][0]["replies_waiting"] == 1
    assert len(smsc.submitted) == 1
    assert [state[0] for state in stage.states()] == [1, 0]
    operator.ask("resume")
    smsc = stage.bound()
    assert smsc.phones == [str(int(PHONE) + 1)]


def test_a_suspension_does_not_wait_for_ever(new_stage: NewStage) -> None:
    """An SMSC that owes a response is left after half of shutdown_s all the same."""
    stage = new_stage(limits={"shutdown_s": 4}).start()
    operator = Operator(stage)
    smsc = stage.bound()
    smsc.text(b"1 AZE 1111111", PHONE)
    stage.run()
    asked = operator.ask("suspend")
    stage.pass_time(1.9)
    assert not hung_up(smsc)
    stage.pass_time(0.1)
    assert hung_up(smsc)
    assert operator.told(asked)["smscs"][0]["state"] == "suspended"


def test_resuming_tells_how_the_smsc_takes_it(new_stage: NewStage) -> None:
    """Bound; or not, and why; or still unknown when patience ends."""
    stage = new_stage().start()
    operator = Operator(stage)
    smsc = stage.bound()
    for outcome in ("bound", "refused", "silent"):
        suspended = operator.ask("suspend")
        stage.run()
        hung_up(smsc)
        assert operator.told(suspended)["smscs"][0]["state"] == "suspended"
        resumed = operator.ask("resume")
        smsc = stage.connect()
        if outcome == "bound":
            smsc.accept()
            [told] = operator.told(resumed)["smscs"]
            assert (told["state"], told["binds"][0]["reason"]) == ("bound", "")
        elif outcome == "refused":
            smsc.refuse(Status.ESME_RINVPASWD)
            smsc.hang_up()
            [told] = operator.told(resumed)["smscs"]
            assert told["state"] == "not bound"
            assert told["binds"][0]["reason"] == "bind refused: ESME_RINVPASWD (0xe)"
        else:
            [told] = operator.told(resumed, seconds=5.1)["smscs"]
            assert (told["state"], told["binds"][0]["reason"]) == ("not bound", "connecting")


def test_who_resumes_waits_for_a_suspension_to_end(new_stage: NewStage) -> None:
    """Requests are answered one after the other, whoever asks."""
    stage = new_stage().start()
    operator = Operator(stage)
    smsc = stage.bound()
    suspended, resumed = operator.ask("suspend"), operator.ask("resume")
    stage.run()
    assert stage.reactor.tcpClients == []
    assert hung_up(smsc)
    stage.pass_time(0.1)
    stage.bound()
    assert operator.told(suspended)["smscs"][0]["state"] == "suspended"
    assert operator.told(resumed)["smscs"][0]["state"] == "bound"


def test_reconnecting_leaves_in_good_order_and_begins_at_the_first_host(
    new_stage: NewStage,
) -> None:
    """From the second host back to the preferred one, without a pause."""
    stage = new_stage(hosts=("127.0.0.1:1", "127.0.0.1:2")).start()
    operator = Operator(stage)
    first = stage.connect()
    first.refuse(Status.ESME_RSYSERR)
    first.hang_up()
    stage.pass_time(0)
    assert stage.reactor.tcpClients[0][1] == 2
    second = stage.bound()
    asked = operator.ask("reconnect")
    stage.run()
    assert hung_up(second)
    stage.pass_time(0.1)
    assert stage.reactor.tcpClients[0][1] == 1
    stage.bound()
    [told] = operator.told(asked)["smscs"]
    assert (told["state"], told["binds"][0]["address"]) == ("bound", "127.0.0.1:1")
    assert operator.audit[0][1] == "smsc_reconnect"


def test_the_list_says_how_each_bind_fares(new_stage: NewStage) -> None:
    """Since when, where, how full the window; and why not."""
    stage = new_stage(bind="transmitter+receiver", window=7, port=2776).start()
    operator = Operator(stage)
    transmitter, receiver = stage.connect(), stage.connect()
    receiver.accept()
    stage.pass_time(60)
    assert operator.told(operator.ask("list"))["smscs"][0]["state"] == "partly bound"
    transmitter.hang_up()
    for reason in ("not bound in time", "Connection was closed cleanly."):
        [told] = operator.told(operator.ask("list"))["smscs"]
        assert [bind["reason"] for bind in told["binds"]] == [reason, ""]
        stage.reconnect().hang_up()
    stage.reconnect()
    receiver.text(b"1 AZE 1111111", PHONE)
    stage.run()
    answer = operator.told(operator.ask("list"))
    assert answer["changed"] is False
    [told] = answer["smscs"]
    assert told["state"] == "bound"
    by_name = {bind["bind"]: bind for bind in told["binds"]}
    assert by_name["receiver"] == {
        "bind": "receiver",
        "bound": True,
        "since": "2020-04-06T08:00:00+00:00",
        "since_us": NOON_US,
        "address": "127.0.0.1:2776",
        "reason": "",
        "window_used": 0,
        "window": 7,
    }
    assert by_name["transmitter"]["window_used"] == 1
    assert by_name["transmitter"]["since"] > "2020-04-06T08:01"
    assert operator.audit == []


@pytest.mark.parametrize(
    ("do", "smsc", "error"),
    [
        ("explode", "one", "no such request; there are: list, suspend, resume, reconnect, pace"),
        ("suspend", "two", "no such SMSC; there are: one"),
    ],
)
def test_what_cannot_be_done_is_told(new_stage: NewStage, do: str, smsc: str, error: str) -> None:
    """What there is, instead of what was asked for."""
    operator = Operator(new_stage().start())
    assert operator.told(operator.ask(do, smsc)) == {"ok": False, "error": error}
    assert operator.audit == []


def test_what_is_so_already_is_no_change(new_stage: NewStage) -> None:
    """Twice suspended or never suspended is no news for the audit; a reconnect needs a resume."""
    stage = new_stage().start()
    operator = Operator(stage)
    stage.bound()
    assert operator.told(operator.ask("resume"))["changed"] is False
    asked = operator.ask("suspend")
    stage.run()
    hung_up(stage.smscs[0])
    operator.told(asked)
    assert operator.told(operator.ask("suspend"))["changed"] is False
    assert "smsd smsc resume one" in operator.told(operator.ask("reconnect"))["error"]
    assert [line[1] for line in operator.audit] == ["smsc_suspend"]


def test_a_suspended_gateway_still_stops(new_stage: NewStage) -> None:
    """There is nothing to unbind, and nothing to wait for."""
    stage = new_stage().start()
    operator = Operator(stage)
    asked = operator.ask("suspend")
    operator.told(asked)
    assert stage.binds.stop().called


def test_a_pace_holds_until_it_is_lifted(new_stage: NewStage) -> None:
    """Two a second instead of all at once; then the rest without delay, and all is in the audit."""
    stage = new_stage(window=1_000).start()
    operator = Operator(stage)
    smsc = stage.bound()
    told = operator.told(operator.ask("pace", rate_per_s=2))
    assert (told["ok"], told["changed"]) == (True, True)
    assert told["smscs"][0]["limit_per_s"] == 2
    for number in range(20):
        smsc.text(b"2 AZE 11111%02d" % number, f"9945000000{number:02}")
    stage.run()
    before = len(smsc.submitted)
    assert before <= 2
    for _ in range(30):
        stage.pass_time(0.1)
    assert 5 <= len(smsc.submitted) - before <= 7
    lifted = operator.told(operator.ask("pace", rate_per_s=None))
    assert lifted["smscs"][0]["rate_per_s"] == 0
    assert len(smsc.submitted) == 20
    assert operator.audit == [
        ("Leyla", "smsc_pace", "one: 2/s", "maintenance"),
        ("Leyla", "smsc_pace", "one: as configured", "maintenance"),
    ]


def test_a_higher_pace_does_not_wait_for_the_lower_ones_turn(new_stage: NewStage) -> None:
    """One in ten seconds, then a hundred a second: the rest is gone within half a second."""
    stage = new_stage(window=1_000, throughput_min=0.1).start()
    operator = Operator(stage)
    smsc = stage.bound()
    operator.told(operator.ask("pace", rate_per_s=0.1))
    for number in range(20):
        smsc.text(b"2 AZE 11111%02d" % number, f"9945000000{number:02}")
    stage.run()
    assert len(smsc.submitted) <= 1
    operator.told(operator.ask("pace", rate_per_s=100))
    for _ in range(50):
        stage.pass_time(0.01)
    assert len(smsc.submitted) == 20


def test_a_pace_that_is_set_already_is_no_change(new_stage: NewStage) -> None:
    """Nor is what is configured where nothing else was set."""
    stage = new_stage(throughput=50.0).start()
    operator = Operator(stage)
    for rate in (None, 50, 50.0):
        assert operator.told(operator.ask("pace", rate_per_s=rate))["changed"] is False
    assert operator.audit == []


@pytest.mark.parametrize(
    "rate", [0, 0.99, 100_000.1, -5, float("nan"), float("inf"), True, "50", [50]]
)
def test_a_pace_is_a_rate_within_its_bounds(new_stage: NewStage, rate: object) -> None:
    """Whatever comes by the socket; the error says what may."""
    operator = Operator(new_stage().start())
    told = operator.told(operator.ask("pace", rate_per_s=rate))
    assert told == {"ok": False, "error": "a pace is 1 to 100000 messages a second"}
    assert operator.audit == []


def test_congestion_is_told_with_its_reason_while_it_slows_us_down(new_stage: NewStage) -> None:
    """The status, how often, the rate that is left; nothing of it once that is over."""
    stage = new_stage(throughput=20.0, throughput_recovery_per_s=10.0).start()
    operator = Operator(stage)
    smsc = stage.bound()
    smsc.text(b"2 AZE 1111111", PHONE)
    stage.run()
    smsc.answer(Status.ESME_RTHROTTLED)
    stage.run()
    [told] = operator.told(operator.ask("list"))["smscs"]
    assert (told["throttled"], told["slowed_by"]) == (1, "ESME_RTHROTTLED (0x58)")
    assert told["rate_per_s"] < told["limit_per_s"] == told["configured_per_s"] == 20
    stage.pass_time(2.0)
    [told] = operator.told(operator.ask("list"))["smscs"]
    assert (told["rate_per_s"], told["slowed_by"]) == (20, "")
