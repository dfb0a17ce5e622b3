"""Knows who a visitor is by what he carries."""

from smsd.desk.web.door import Admitted
from smsd.desk.web.visit import NOBODY, SignedBy, Visitor
from storage.roles import Role

__all__ = ["Entrance"]

_AT_THIS_MACHINE = Visitor("", frozenset({Role.VIEWER}), SignedBy.LOOPBACK)


class Entrance:
    """See `smsd.desk.web.door.Entrance`."""

    async def visitor(
        self, cookie: str | None, bearer: str | None, at_this_machine: bool, at_us: int
    ) -> Admitted:
        """Who carries this session cookie or this token."""
        return Admitted(_AT_THIS_MACHINE if at_this_machine else NOBODY)
