"""Routes: what is asked for, who may, and which room answers."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from smsd.desk.web.answer import Answer
from smsd.desk.web.visit import SignedBy, Visit, Visitor
from storage.roles import Role, Scope

__all__ = ["ANYBODY", "KNOWN", "Access", "Handler", "Route", "only"]

Handler = Callable[[Visit], Awaitable[Answer]]


class Access(NamedTuple):
    """Who may use a route: anybody; or who has one of the roles, or a token of the scope.

    loopback: also whoever sits at this machine, no proxy between.
    """

    roles: frozenset[Role] | None = None
    scope: Scope | None = None
    loopback: bool = False

    def admits(self, visitor: Visitor, at_this_machine: bool) -> bool:
        """Whether a visitor may."""
        if self.roles is None or (self.loopback and at_this_machine):
            return True
        if visitor.signed_by is SignedBy.TOKEN:
            return self.scope in visitor.scopes
        return visitor.may(*self.roles)


ANYBODY = Access()
KNOWN = Access(frozenset(Role))


def only(*roles: Role, scope: Scope | None = None, loopback: bool = False) -> Access:
    """Who has one of these roles, or a token of this scope."""
    return Access(frozenset(roles), scope, loopback)


class Route(NamedTuple):
    """One thing that can be asked for.

    path: as in /smsc/{name}/suspend; a name takes one segment. data: it is for programs, so
    refusals are JSON, and who is not known is not sent to sign in.
    """

    method: str
    path: str
    access: Access
    handler: Handler
    data: bool = False
