"""Where somebody wanted to go before he had to sign in."""

from urllib.parse import quote

__all__ = ["HOME", "onward"]

HOME = "/"
_LETTERS_MAX = 2_000


def onward(asked: str) -> str:
    """A path of this desk, fit for a Location header; for anything else its beginning.

    Nobody's link may lead somebody who has just signed in to another site: browsers take //host
    for one, and read a \\ as a /.
    """
    local = asked.startswith("/") and asked[1:2] not in ("/", "\\") and asked.isprintable()
    if not local or len(asked) > _LETTERS_MAX or asked.startswith("/sign-in"):
        return HOME
    return quote(asked, safe="/?&=%:+,;@!$'()*~")
