"""How often somebody may grant what the rules refuse: noted before it happens, and bounded."""

from storage import audit
from storage.beside import writing
from storage.halving import first_audit_line

__all__ = ["ACTION", "note_override"]

ACTION = "override"
_COUNT = "SELECT count(*) FROM audit WHERE id >= ? AND at_us >= ? AND who = ? AND action = ?"
# Lines that waited beside the store stand behind later ones; those of the day are not far before.
_DISORDER_LINES = 10_000


def note_override(
    url: str,
    at_us: int,
    day_start_us: int,
    most: int,
    who: str,
    subject: str,
    reason: str,
    about: str,
) -> bool:
    """Note that somebody is about to override; False: he has done so as often as he may today.

    Counted and noted in one step, so two at once do not make one too many.

    Raises:
        StoreError: the store cannot be written; so nothing may be overridden.
    """
    with writing(url) as connection:
        first = first_audit_line(connection, day_start_us) - _DISORDER_LINES
        (count,) = connection.execute(_COUNT, (first, day_start_us, who, ACTION)).fetchone()
        if count >= most:
            return False
        audit.write(connection, at_us, who, ACTION, subject, reason, about)
    return True
