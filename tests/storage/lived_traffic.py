"""Days of invented SMS, decided and stored by the real gateway code under a policy."""

import io
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import rules
from rules import CompiledPolicy
from smsd.gateway.adjudicate import Law, adjudicate
from smsd.gateway.writer import Batch, Writer
from storage import InboundMessage, Register, Reply, ReplyOutcome, ReplyState, SqliteStore
from storage.blocks import add_block
from storage.registry import import_csv

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
S_US = 1_000_000
MINUTE_US = 60 * S_US
HOUR_US = 60 * MINUTE_US
# 5 April 2020, 20:00 in Baku: the first midnight comes after four hours.
BEGIN_US = int(datetime(2020, 4, 5, 16, 0, tzinfo=UTC).timestamp()) * S_US
BLOCKED_UNTIL_DAY = date(2020, 4, 7).toordinal()

_PEOPLE = 240
_STEP_S_MAX = 60
_BATCH_MAX = 12
_SOME_TEXTS = ("salam", "AZE 1111111", "7 AZE {0}", "2 AZE 111", "KÖMƏK", "STATUS EN", "RU")


def policy_text(*replacements: tuple[str, str]) -> str:
    """The shipped 8103, edited as an officer would; each text to be replaced must be there."""
    text = POLICY_FILE.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def policy(*replacements: tuple[str, str]) -> CompiledPolicy:
    """The same, compiled without its own tests."""
    parsed = rules.parse_policy(policy_text(*replacements), "edited.toml")
    return rules.compile_policy(parsed, trial=False)


def sms(text: str, at_us: int, phone: str = "994500000001") -> InboundMessage:
    """A phone's SMS as intake hands it over."""
    return InboundMessage(at_us, "one", phone, "8103", 0, text.encode(), text, True, None)


def live(
    url: str,
    law: CompiledPolicy,
    batches: list[list[InboundMessage]],
    register: Register | None = None,
    late: bool = False,
) -> None:
    """Decide batches and send the replies of each a second later, or only after the next."""
    store = SqliteStore(url)
    waiting: list[Reply] = []
    for batch in batches:
        with store.transaction(law) as transaction:
            settled = adjudicate(transaction, Law(law), register, batch)
        with store.transaction(law) as transaction:
            transaction.settle(_sent(waiting if late else settled.replies))
        waiting = settled.replies
    store.close()


def live_through_outage(
    url: str,
    law: CompiledPolicy,
    messages: list[InboundMessage],
    end_us: int,
    resent: bool = False,
) -> None:
    """Decide SMS one by one; when the outage ends, all their replies have come too late."""
    store = SqliteStore(url)
    writer = Writer(store, None, Law(law), lambda: 0.0)
    waiting: list[Reply] = []
    for message in messages:
        done = writer.write(Batch([message], [], []))
        waiting += done.replies or []
    expired = [
        ReplyOutcome(r.id, ReplyState.EXPIRED, end_us, "", 0, resent, r.starts_permit)
        for r in waiting
    ]
    done = writer.write(Batch([], expired, []))
    writer.write(Batch([], _sent(done.replies or []), []))
    store.close()


def _sent(replies: list[Reply]) -> list[ReplyOutcome]:
    return [
        ReplyOutcome(
            reply.id,
            ReplyState.SENT,
            reply.received_at_us + S_US,
            str(reply.id),
            0,
            False,
            starts_permit=reply.starts_permit,
        )
        for reply in replies
    ]


def live_for_days(url: str, folder: Path, law: CompiledPolicy, count: int, seed: int) -> None:
    """`count` SMS over some days: repeats, households, second cards, old people, early returns."""
    chance = random.Random(seed)
    register = _register(folder, law, chance)
    SqliteStore(url).close()
    for person in range(0, _PEOPLE, 40):
        code = chance.choice(["", "3"])
        add_block(url, f"p:P{person}", "x", code, BLOCKED_UNTIL_DAY, "officer", "test", BEGIN_US)
    live(url, law, list(_batches(chance, count)), register, late=True)
    register.close()


def _register(folder: Path, law: CompiledPolicy, chance: random.Random) -> Register:
    """One person in six is over 60, one in ten has a second card."""
    rows = []
    for person in range(_PEOPLE):
        year = chance.randint(1930, 1960) if person % 6 == 0 else chance.randint(1960, 2001)
        born = date(year, chance.randint(1, 12), chance.randint(1, 28))
        rows.append(f"P{person},AZE{1_000_000 + person},{born}")
        if person % 10 == 0:
            rows.append(f"P{person},AA{1_000_000 + person},{born}")
    return register_of(folder, law, "\n".join(rows))


def register_of(folder: Path, law: CompiledPolicy, rows: str) -> Register:
    """A register of ``person,document,birth_date`` rows."""

    def canonical(printed: str) -> str | None:
        document = law.grammar.parse_document(printed)
        return document.text if document else None

    path = folder / "lived-register.db"
    source = io.StringIO(f"person,document,birth_date\n{rows}\n")
    import_csv(source, path, canonical, date(2020, 4, 5))
    return Register(path)


def _batches(chance: random.Random, count: int) -> Iterator[list[InboundMessage]]:
    at_us = BEGIN_US
    while count > 0:
        batch = []
        for _ in range(min(count, chance.randint(1, _BATCH_MAX))):
            at_us += chance.randint(1, _STEP_S_MAX * S_US)
            phone = f"9945{chance.randrange(_PEOPLE):08}"
            batch.append(sms(_text(chance, int(phone[4:])), at_us, phone))
            if chance.random() < 0.1:
                batch.append(batch[-1]._replace(received_at_us=at_us + 1))
        count -= len(batch)
        yield batch


def _text(chance: random.Random, phone: int) -> str:
    """What a phone texts, mostly for its own person."""
    dice = chance.random()
    own = f"AA {1_000_000 + phone}" if chance.random() < 0.1 else f"AZE {1_000_000 + phone}"
    if dice < 0.65:
        return f"{chance.choice('1223')} {own}"
    if dice < 0.80:
        others = {str(1_000_000 + chance.randrange(_PEOPLE + 9)) for _ in range(3)}
        return f"{chance.choice('123')} {own}, " + ", ".join(f"AZE {n}" for n in sorted(others))
    if dice < 0.90:
        return chance.choice(["QAYITDIM", "CANCEL", f"RETURN {own}"])
    return chance.choice(_SOME_TEXTS).format(1_000_000 + phone)
