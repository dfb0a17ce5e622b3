"""Who asks for far more than others: the counting behind `smsd abuse report`."""

from collections.abc import Sequence
from typing import NamedTuple

from storage.beside import reading
from storage.halving import first_serial

__all__ = [
    "CANDIDATES_MAX",
    "EXAMPLES_MAX",
    "Candidate",
    "Example",
    "Measured",
    "count_above",
    "measure",
]

CANDIDATES_MAX = 200
EXAMPLES_MAX = 5
_SERIALS_AT_ONCE = 20_000  # a long read holds up the checkpoints of a busy daemon

_WHO = {
    "permits_of_person": "decision.holder",
    "people_of_phone": "message.phone",
    "phones_of_person": "decision.holder",
}
_WHAT = {
    "permits_of_person": "count(*)",
    "people_of_phone": "count(DISTINCT decision.holder)",
    "phones_of_person": "count(DISTINCT message.phone)",
}

# By measure: whom, and what of theirs is counted once each.
_PAIRS = {
    "permits_of_person": ("decision.holder", "decision.serial"),
    "people_of_phone": ("message.phone", "decision.holder"),
    "phones_of_person": ("decision.holder", "message.phone"),
}
# Whoever an agent asks for by word of mouth has no phone, and shares none with others.
_OF_PHONES = " AND message.phone <> ''"


class Example(NamedTuple):
    """A decision as evidence."""

    serial: int
    at_us: int
    code: str
    document: str
    phone: str


class Candidate(NamedTuple):
    """Somebody above the bound. who: a holder (``p:`` person, ``d:`` document) or a phone."""

    who: str
    amount: int
    examples: tuple[Example, ...]


class Measured(NamedTuple):
    """What one measure found.

    everybody: how many holders or phones did it at all; median, percentile_99: of their counts.
    above: how many reached the bound; candidates: the first `CANDIDATES_MAX` of them.
    """

    everybody: int
    median: int
    percentile_99: int
    above: int
    candidates: tuple[Candidate, ...]


def measure(url: str, what: str, codes: Sequence[str], since_us: int, at_least: int) -> Measured:
    """Count permits or people or phones since an instant, with granted requests only.

    what: permits_of_person, people_of_phone or phones_of_person; codes: empty: all.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    with reading(url) as connection:
        marks = ",".join("?" * len(codes))
        of_codes = f" AND decision.code IN ({marks})" if codes else ""
        rows = (
            " FROM decision JOIN message ON message.id = decision.message"
            f" WHERE decision.serial >= ? AND decision.verdict = 'grant'{of_codes}"
            f"{_OF_PHONES if 'phone' in what else ''}"
            " AND ended_us IS NOT 0"  # taken back: its reply never left, and it was of no use
        )
        values = (first_serial(connection, since_us), *codes)
        # One pass over the rows; the answers are taken from its result.
        connection.execute(
            f"CREATE TEMP TABLE counted AS SELECT {_WHO[what]} AS who, {_WHAT[what]} AS amount"
            f" {rows} GROUP BY 1",
            values,
        )
        spread = connection.execute(
            "SELECT amount, count(*) FROM counted GROUP BY 1 ORDER BY 1"
        ).fetchall()
        above = connection.execute(
            "SELECT who, amount FROM counted WHERE amount >= ? ORDER BY amount DESC, who LIMIT ?",
            (at_least, CANDIDATES_MAX),
        ).fetchall()
        candidates = tuple(
            Candidate(
                who,
                amount,
                tuple(
                    Example(*row)
                    for row in connection.execute(
                        "SELECT decision.serial, at_us, code, document, phone"
                        f" {rows} AND {_WHO[what]} = ? ORDER BY decision.serial DESC LIMIT ?",
                        (*values, who, EXAMPLES_MAX),
                    )
                ),
            )
            for who, amount in above
        )
    everybody = sum(count for _, count in spread)
    return Measured(
        everybody,
        _percentile(spread, 50),
        _percentile(spread, 99),
        sum(count for amount, count in spread if amount >= at_least),
        candidates,
    )


def count_above(
    url: str, what: str, codes: Sequence[str], since_us: int, at_least: int
) -> tuple[int, int]:
    """As `measure`, but only how many reached the bound, and of how many; in short reads.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    marks = ",".join("?" * len(codes))
    of_codes = f" AND decision.code IN ({marks})" if codes else ""
    whom, counted = _PAIRS[what]
    with reading(url) as connection:
        connection.execute(
            "CREATE TEMP TABLE pair (who TEXT, what, PRIMARY KEY (who, what)) WITHOUT ROWID"
        )
        first = first_serial(connection, since_us)
        last = connection.execute("SELECT max(serial) FROM decision").fetchone()[0] or 0
        for serial in range(first, last + 1, _SERIALS_AT_ONCE):
            connection.execute(
                f"INSERT OR IGNORE INTO pair SELECT {whom}, {counted}"  # noqa: S608 - our words
                " FROM decision JOIN message ON message.id = decision.message"
                f" WHERE decision.serial BETWEEN ? AND ? AND decision.verdict = 'grant'{of_codes}"
                f"{_OF_PHONES if 'phone' in what else ''} AND ended_us IS NOT 0",
                (serial, min(last, serial + _SERIALS_AT_ONCE - 1), *codes),
            )
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE amount >= ?), count(*)"
            " FROM (SELECT count(*) AS amount FROM pair GROUP BY who)",
            (at_least,),
        ).fetchone()
    return int(row[0]), int(row[1])


def _percentile(spread: Sequence[tuple[int, int]], percent: int) -> int:
    """The smallest amount that so many percent of all do not exceed; 0 for nobody."""
    needed = sum(count for _, count in spread) * percent
    seen = 0
    for amount, count in spread:
        seen += count
        if seen * 100 >= needed:
            return amount
    return 0
