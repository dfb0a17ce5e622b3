"""The log's copy of the audit's newest hash, in virtual time."""

from pathlib import Path

from desk_people import url_of
from desk_stage import DeskStage
from structlog.testing import capture_logs

from smsd.gateway.witness import AuditWitness
from storage import audit

HOUR_S = 3_600.0


def note(desk: DeskStage) -> audit.Head:
    """Something is done; where the audit stands now."""
    audit.note(url_of(desk), 1, "officer", "check", "permit", "", "994500000123")
    head = audit.head(url_of(desk))
    assert head is not None
    return head


def test_the_head_is_told_each_hour_and_at_the_end(desk: DeskStage) -> None:
    """And not in between; each time as it is then, without whom it is about."""
    witness = AuditWitness(desk.reactor, url_of(desk), HOUR_S)
    expected = []
    with capture_logs() as logs:
        expected.append(note(desk))
        witness.start()
        desk.settle()
        note(desk)
        desk.reactor.advance(HOUR_S - 1)
        desk.settle()
        expected.append(note(desk))
        desk.reactor.advance(1)
        desk.settle()
        expected.append(note(desk))
        done = witness.stop()
        desk.settle()
        desk.reactor.advance(2 * HOUR_S)
        desk.settle()
    assert done.called
    told = [(line["line"], line["hash"]) for line in logs if line["event"] == "audit_head"]
    assert told == [(head.id, head.hash) for head in expected]
    assert "994500000123" not in str(logs)


def test_a_store_that_cannot_be_asked_ends_nothing(desk: DeskStage, tmp_path: Path) -> None:
    """It is said so, and asked again an hour later."""
    witness = AuditWitness(desk.reactor, f"sqlite:///{tmp_path}/nowhere.db", HOUR_S)
    with capture_logs() as logs:
        witness.start()
        desk.settle()
        desk.reactor.advance(HOUR_S)
        desk.settle()
        witness.stop()
        desk.settle()
    told = [line for line in logs if line["event"] == "audit_head_unknown"]
    assert len(told) == 3
    assert "there is no store at" in told[0]["reason"]
