"""Which policy was put in force when, by whom and why."""

from typing import NamedTuple

from storage import audit
from storage.beside import reading, writing
from storage.sqlite_library import dbapi
from storage.store import StoreError

__all__ = [
    "Activation",
    "Difference",
    "activate",
    "active",
    "active_in",
    "before",
    "before_in",
    "history",
    "keep_text",
    "last_file",
    "note_activation",
    "policy_source",
    "shadow",
    "shadow_differences",
]

_IN_FORCE = ("file", "activate", "rollback")
_SELECT = (
    "SELECT activation.id, at_us, action, policy.digest, who, reason"
    " FROM activation JOIN policy ON policy.id = activation.policy"
)


class Activation(NamedTuple):
    """A policy was put in force or into the shadow, or its shadow ended.

    action: file (read from the file that config.toml names), activate, rollback, shadow,
        shadow_off.
    digest: SHA-256 of the policy, hex.
    """

    id: int
    at_us: int
    action: str
    digest: str
    who: str
    reason: str


class Difference(NamedTuple):
    """A decision that a candidate would have made otherwise."""

    serial: int
    at_us: int
    code: str
    verdict: str
    rule: str
    candidate_verdict: str
    candidate_rule: str


def activate(
    url: str, source: str, digest: str, at_us: int, who: str, reason: str, action: str
) -> int:
    """Record that a policy is to be in force, or in the shadow; the daemon takes it from here.

    Returns the number of the audit line, behind which the daemon's own will stand.
    """
    with writing(url) as connection:
        keep_text(connection, source, digest, at_us)
        note_activation(connection, digest, at_us, who, reason, action)
        return audit.write(connection, at_us, who, f"policy_{action}", digest, reason)


def keep_text(connection: "dbapi.Connection", source: str, digest: str, at_us: int) -> None:
    """Keep the text of a policy, once; in the transaction of what it is kept for."""
    connection.execute(
        "INSERT INTO policy (digest, source, loaded_at_us) VALUES (?,?,?) ON CONFLICT DO NOTHING",
        (digest, source, at_us),
    )


def note_activation(
    connection: "dbapi.Connection", digest: str, at_us: int, who: str, reason: str, action: str
) -> None:
    """Add a kept policy to the history, in a transaction that also tells the audit."""
    connection.execute(
        "INSERT INTO activation (at_us, action, policy, who, reason)"
        " SELECT ?, ?, id, ?, ? FROM policy WHERE digest = ?",
        (at_us, action, who, reason, digest),
    )


def history(url: str) -> list[Activation]:
    """All activations, newest first."""
    with reading(url) as connection:
        return [Activation(*row) for row in connection.execute(f"{_SELECT} ORDER BY 1 DESC")]


def active(url: str) -> Activation | None:
    """The newest activation of a policy that decides."""
    with reading(url) as connection:
        return active_in(connection)


def active_in(connection: "dbapi.Connection") -> Activation | None:
    """The same, in the reading or the transaction of whoever needs it for more."""
    return _newest(connection, _IN_FORCE)


def before(url: str) -> Activation | None:
    """The newest activation of another policy than the one in force: where a rollback leads."""
    with reading(url) as connection:
        return before_in(connection)


def before_in(connection: "dbapi.Connection") -> Activation | None:
    """The same, in the reading or the transaction of whoever needs it for more."""
    now = active_in(connection)
    return None if now is None else _newest(connection, _IN_FORCE, other_than=now.digest)


def last_file(url: str) -> Activation | None:
    """The newest reading of the file that config.toml names."""
    with reading(url) as connection:
        return _newest(connection, ("file",))


def shadow(url: str) -> Activation | None:
    """The candidate that decides in the shadow, if there is one."""
    with reading(url) as connection:
        newest = _newest(connection, ("shadow", "shadow_off"))
    return newest if newest is not None and newest.action == "shadow" else None


def _newest(
    connection: "dbapi.Connection", actions: tuple[str, ...], other_than: str = ""
) -> Activation | None:
    marks = ",".join("?" * len(actions))
    row = connection.execute(
        f"{_SELECT} WHERE action IN ({marks}) AND policy.digest <> ?"
        " ORDER BY activation.id DESC LIMIT 1",
        (*actions, other_than),
    ).fetchone()
    return Activation(*row) if row else None


def policy_source(url: str, digest: str) -> str:
    """The text of a policy that was once in force here, or proposed.

    Raises:
        StoreError: it never was.
    """
    with reading(url) as connection:
        row = connection.execute("SELECT source FROM policy WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise StoreError(f"no policy with the digest {digest} was ever in force or proposed here")
    return str(row[0])


def shadow_differences(
    url: str, digest: str, limit: int
) -> tuple[list[tuple[str, ...]], list[Difference]]:
    """Where the candidate disagreed.

    Returns (code, verdict, rule, candidate's verdict, candidate's rule, count) rows, most frequent
    first, and the newest examples.
    """
    source = (
        " FROM shadow_difference AS other JOIN decision ON decision.serial = other.serial"
        " JOIN policy ON policy.id = other.policy WHERE policy.digest = ?"
    )
    told = "decision.code, decision.verdict, decision.rule, other.verdict, other.rule"
    with reading(url) as connection:
        counts = connection.execute(
            f"SELECT {told}, count(*) {source} GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC", (digest,)
        ).fetchall()
        rows = connection.execute(
            f"SELECT decision.serial, decision.at_us, {told} {source}"
            " ORDER BY decision.serial DESC LIMIT ?",
            (digest, limit),
        ).fetchall()
    return counts, [Difference(*row) for row in rows]
