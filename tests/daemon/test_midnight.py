"""A law that changes at midnight: the daemon crosses it under load, in rehearsed time."""

import json
import time
from collections import defaultdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon_process import POLICY_FILE, Daemon, smsc_section, write_config

from rules import Document, Verdict, decide, load_policy
from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from storage import facts as recorded_facts
from storage.sqlite_library import dbapi

HISTORY = POLICY_FILE.with_name("az-8103-history.toml")
# 2020-06-29 00:00 in Baku: from here on one permit a day across both codes.
MIDNIGHT_US = (
    int(datetime(2020, 6, 29, tzinfo=ZoneInfo("Asia/Baku")).astimezone(UTC).timestamp()) * 1_000_000
)
BEFORE_S = 1.5  # of rehearsed time, from the first SMS to midnight
PEOPLE_PER_SIDE_MIN = 300
PEOPLE_PER_ROUND = 50
ROUNDS_MAX = 400


def test_nobody_is_decided_by_the_law_of_the_other_side_of_midnight(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Each person asks for code 1, then for code 2: on the 28th both are given, on the 29th one.

    Texting goes on until enough people stand on both sides. Every SMS has its row, its decision
    under the law of its own instant, and its reply.
    """
    config = write_config(tmp_path, [smsc_section(smsc.port)])
    config.write_text(config.read_text().replace(str(POLICY_FILE), str(HISTORY)))
    offset = tmp_path / "offset"
    people = count(1_000_000)
    sent = 0
    with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
        phones.await_bound()
        offset.write_text(str(MIDNIGHT_US / 1_000_000 - time.time() - BEFORE_S))
        for _ in range(ROUNDS_MAX):
            for person in [next(people) for _ in range(PEOPLE_PER_ROUND)]:
                for code in "12":
                    phones.send(f"99450{person}", f"{code} AZE {person}")
                    sent += 1
            phones.await_counter("received", sent)
            if min(sides(tmp_path / "smsd.db")) >= 2 * PEOPLE_PER_SIDE_MIN:
                break
        else:
            raise AssertionError("midnight never came")
        assert daemon.terminate() == 0
    check(tmp_path / "smsd.db", sent)


def sides(store: Path) -> tuple[int, int]:
    """How many SMS were received before midnight, and from it on."""
    with dbapi.connect(f"file:{store}?mode=ro", uri=True) as connection:
        query = "SELECT coalesce(sum(received_at_us < ?), 0), count(*) FROM message"
        before, all_of_them = connection.execute(query, (MIDNIGHT_US,)).fetchone()
    return before, all_of_them - before


def check(store: Path, sent: int) -> None:
    policy = load_policy(HISTORY)
    with dbapi.connect(f"file:{store}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT at_us, document, code, verdict, rule, facts, serial, reply.state, message.text"
            " FROM decision JOIN message ON message.id = decision.message"
            " JOIN reply ON reply.message = message.id ORDER BY serial"
        ).fetchall()
        (messages,) = connection.execute("SELECT count(*) FROM message").fetchone()
    assert messages == len(rows) == sent
    assert {row[7] for row in rows} == {1}, "every reply was taken by the SMSC"
    granted: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for at_us, document, code, verdict, rule, facts, serial, _, text in rows:
        new_law = at_us >= MIDNIGHT_US
        again = decide(
            policy,
            code,
            Document("AZE", document.removeprefix("AZE")),
            recorded_facts.from_json(serial, facts),
            at_us,
        )
        assert (again.verdict, again.rule) == (verdict, rule), text
        refused = new_law and bool(granted[document, True])
        assert verdict == (Verdict.REFUSE if refused else Verdict.GRANT), (document, code)
        assert rule == ("once-across-codes" if refused else "granted-in-june")
        if verdict == Verdict.GRANT:
            granted[document, new_law].append(code)
            assert json.loads(facts)["registered"] is None
    both = [codes for (_, new_law), codes in granted.items() if not new_law and len(codes) == 2]
    one = [codes for (_, new_law), codes in granted.items() if new_law]
    assert min(len(both), len(one)) >= PEOPLE_PER_SIDE_MIN - 1  # one may stand on both sides
