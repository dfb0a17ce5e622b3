"""The strip of recent events: what is told, in which order, and how much of it is kept."""

from desk_people import add, guest
from desk_stage import DeskStage
from twisted.internet.defer import ensureDeferred
from watched_desk import NewDesk, WatchedDesk

from smsd.desk.events import KINDS
from storage import ReplyState
from storage.roles import Role


def kinds(watched: WatchedDesk) -> list[str]:
    """The newest first."""
    return [event.kind for event in watched.premises.events.newest(100)]


def test_what_happens_to_binds_store_and_policy_is_told(desk: DeskStage) -> None:
    """By those who watch the daemon's parts; what goes well every second is not."""
    watched = WatchedDesk(desk)
    metrics = watched.metrics
    metrics.bind_changed("simulator", "transceiver", True)
    metrics.bind_changed("simulator", "transceiver", False)
    metrics.store_changed("disk full")
    metrics.store_changed(None)
    metrics.policy_failed()
    watched.traffic(9)
    metrics.reply_settled("simulator", ReplyState.REFUSED)
    assert kinds(watched)[:5] == [
        "policy_kept", "store_available", "store_unavailable", "bind_down", "bind_up",
    ]  # fmt: skip
    assert kinds(watched)[5:] == ["policy_in_force", "started"]


def test_suspending_and_resuming_is_told(desk: DeskStage) -> None:
    """Whoever did it; the audit says who."""
    watched = WatchedDesk(desk)
    [smsc] = watched.premises.switchboard.smscs
    watched.wait(ensureDeferred(smsc.suspend()))
    ensureDeferred(smsc.resume())
    assert kinds(watched)[:2] == ["resumed", "suspended"]


def test_congestion_that_goes_on_is_one_event(desk: DeskStage) -> None:
    """A thousand responses a second; after a minute without any it is another."""
    watched = WatchedDesk(desk)
    for seconds in (0, 1, 59, 59, 60):
        watched.pass_time(seconds, 60)
        for _ in range(100):
            watched.metrics.throttled("simulator")
    assert kinds(watched).count("congestion") == 2
    watched.metrics.throttled("another")
    assert kinds(watched).count("congestion") == 3


def test_refused_sign_ins_are_one_event_and_name_nobody(desk: DeskStage) -> None:
    """Somebody guesses: worth a look at the audit and the log."""
    add(desk, "leyla", Role.ADMIN)
    visitor = guest(desk)
    form = {"csrf": visitor.csrf, "name": "leyla", "password": "wrong"}
    for _ in range(3):
        assert desk.ask("POST", "/sign-in", form, cookie=visitor.cookie).status == 400
    [refused] = [
        event
        for event in WatchedDesk(desk).premises.events.newest(9)
        if event.kind == "sign_in_refused"
    ]
    assert not refused.values


def test_the_oldest_go_first(new_desk: NewDesk) -> None:
    """However much happens, no more is kept."""
    watched = WatchedDesk(new_desk("[desk.dashboard]\nevents_max = 3"))
    for number in range(5):
        watched.premises.events.tell("bind_up", smsc=str(number), bind="transceiver")
    told = [event.values["smsc"] for event in watched.premises.events.newest(9)]
    assert told == ["4", "3", "2"]
    assert len(watched.premises.events.newest(2)) == 2


def test_each_kind_has_a_level_that_the_page_knows() -> None:
    """It chooses the mark beside the words."""
    assert {kind.level for kind in KINDS.values()} == {"ok", "warn", "bad"}


def test_a_policy_that_is_loaded_again_is_no_news(desk: DeskStage) -> None:
    """SIGHUP without a change, or a candidate in the shadow: the law is what it was."""
    desk.take_newest_policy()
    assert kinds(WatchedDesk(desk)).count("policy_in_force") == 1
