"""A visit: one request as the rooms see it, after the door has read, bounded and checked it."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from storage.roles import Role, Scope

__all__ = ["NOBODY", "SignedBy", "Visit", "Visitor"]


class SignedBy(Enum):
    """How the door knows a visitor."""

    NOTHING = "nothing"
    LOOPBACK = "loopback"  # no users exist yet, and the visitor sits at this machine
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word, not one


class Visitor(NamedTuple):
    """Who asks. name: the user's, or the token's; empty for nobody in particular."""

    name: str
    roles: frozenset[Role]
    signed_by: SignedBy
    scopes: frozenset[Scope] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether somebody stands behind it who can be named in the audit."""
        return self.signed_by in (SignedBy.SESSION, SignedBy.TOKEN)

    def may(self, *roles: Role) -> bool:
        """Whether the visitor has any of these roles."""
        return not self.roles.isdisjoint(roles)


NOBODY = Visitor("", frozenset(), SignedBy.NOTHING)


class Visit(NamedTuple):
    """One request.

    place: what the names in the route's path stand for. query, form: of values given twice the
    first; form only of a POST whose CSRF token was right. files: uploads, by the name of the field.
    csrf: what forms of the answer must carry. address: the visitor's, behind a trusted proxy the
    one that it tells. language: az, en, ru. say: words by their key in that language. origin: how
    the browser knows us, scheme://host. cookies: what it carries, under their whole names. page:
    where it can be looked at again; for what only takes forms, the page that has them.
    """

    path: str
    visitor: Visitor
    language: str
    say: Callable[..., str]
    at_us: int
    address: str = ""
    place: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    form: Mapping[str, str] = {}
    files: Mapping[str, bytes] = {}
    csrf: str = ""
    wants_data: bool = False  # JSON rather than a page
    theme: str = "auto"  # auto, light, dark
    origin: str = ""
    cookies: Mapping[str, str] = {}
    page: str = "/"

    @property
    def who(self) -> str:
        """The visitor's name, for the audit."""
        return self.visitor.name
