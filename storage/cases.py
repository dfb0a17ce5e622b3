"""Reading decisions back: what was asked, what was known, what was decided and answered.

Opens the store read-only beside a running daemon; nothing here can disturb it.
"""

import os
from typing import NamedTuple
from urllib.parse import quote

from sqlite_utils import Database

from rules import Facts
from storage import facts as recorded_facts
from storage.records import ReceiptState, ReplyState
from storage.sqlite import database_path
from storage.sqlite_library import dbapi
from storage.store import StoreError

_SELECT = """
SELECT decision.serial, decision.at_us, decision.document, decision.code, decision.verdict,
       decision.rule, decision.facts, decision.permit, decision.valid_from_us,
       decision.valid_until_us, nullif(decision.ended_us, 0) AS ended_us,
       CASE decision.ended_us WHEN 0 THEN reply.settled_at_us END AS taken_back_us,
       (SELECT received_at_us FROM message AS first WHERE first.id = message.repeat_of)
           AS renews_us,
       (SELECT coalesce(later.permit, later.serial)
          FROM message AS renewal JOIN decision AS later ON later.message = renewal.id
         WHERE renewal.repeat_of = message.id AND renewal.outcome = 'decided'
           AND later.document = decision.document) AS renewed_as,
       (SELECT told.text FROM message AS renewal JOIN reply AS told ON told.id = renewal.id
         WHERE renewal.repeat_of = message.id AND renewal.outcome = 'late') AS explained,
       policy.digest,
       policy.source, message.text AS request,
       reply.text AS reply, reply.state, reply.resent, smsc.name AS smsc,
       reply.receipt_state, reply.receipt_at_us
  FROM decision
  JOIN message ON message.id = decision.message
  JOIN policy  ON policy.id = decision.policy
  JOIN smsc    ON smsc.id = message.smsc
  LEFT JOIN reply ON reply.id = message.id
 WHERE decision.serial = :serial
    OR (decision.permit = :serial
        AND decision.holder = (SELECT holder FROM decision WHERE serial = :serial))
"""


class Case(NamedTuple):
    """One decision with everything that led to it and came of it.

    taken_back_us: when the permit ended unused, since its reply came too late. renews_us: when
    the SMS came that this one stands for. renewed_as: what the SMS was decided anew as, explained:
    or what its phone was told instead. receipt_state: what the SMSC's receipts said of the reply;
    None: nothing yet.
    """

    serial: int
    at_us: int
    document: str
    code: str
    verdict: str
    rule: str
    facts: Facts
    permit: int | None
    valid_from_us: int | None
    valid_until_us: int | None
    ended_us: int | None
    taken_back_us: int | None
    renews_us: int | None
    renewed_as: int | None
    explained: str | None
    policy_digest: str
    policy_source: str
    request: str
    reply: str
    reply_state: ReplyState
    resent: bool
    smsc: str
    receipt_state: ReceiptState | None
    receipt_at_us: int | None


def find_cases(url: str, number: int, period: int) -> list[Case]:
    """The decisions whose serial is `number` modulo `period`, and repeats of their permits.

    Newest first: a reference comes round again after `period` decisions.

    Raises:
        StoreError: there is no store at `url`, or it cannot be read.
    """
    path = database_path(url)
    if not path.exists():
        raise StoreError(f"there is no store at {path}; has the daemon run yet?")
    connection = dbapi.connect(f"file:{quote(os.fspath(path))}?mode=ro", uri=True)
    try:
        database = Database(connection)
        last = database.execute("SELECT max(serial) FROM decision").fetchone()[0] or 0
        cases = []
        for serial in range(number or period, last + 1, period):
            rows = database.query(_SELECT, {"serial": serial})
            cases += [_case(row) for row in rows]
    except dbapi.Error as fault:
        raise StoreError(f"{path} cannot be read as a store: {fault}") from fault
    finally:
        connection.close()
    return sorted(cases, key=lambda case: case.serial, reverse=True)


def _case(row: dict[str, object]) -> Case:
    values = dict(row)
    digest, source = values.pop("digest"), values.pop("source")
    state, receipt = values.pop("state"), values.pop("receipt_state")
    values["facts"] = recorded_facts.from_json(int(str(values["serial"])), str(values["facts"]))
    values["resent"] = bool(values["resent"])
    values["reply"] = values["reply"] or ""
    return Case(
        **values,  # type: ignore[arg-type]
        policy_digest=str(digest),
        policy_source=str(source),
        reply_state=ReplyState(int(str(state or 0))),
        receipt_state=None if receipt is None else ReceiptState(int(str(receipt))),
    )
