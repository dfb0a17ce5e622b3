"""Whether a form was sent from a page of ours (CSRF)."""

import hmac
import secrets

from smsd.desk.web.reading import Body

__all__ = ["FIELD", "HEADER", "fresh_token", "is_ours"]

FIELD = "csrf"
HEADER = "x-csrf-token"
_OCTETS = 24


def fresh_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(_OCTETS)


def is_ours(body: Body, header: str, expected: str, fetch_site: str) -> bool:
    """Whether a POST comes from us: it carries the token, in a field or, as JSON, in a header.

    expected: that of the session or of the browser's cookie; empty: it has none.
    fetch_site: the Sec-Fetch-Site header; a browser that sends it knows better than any token.
    """
    if fetch_site in ("cross-site", "same-site"):
        return False
    given = header if body.is_json else body.form.get(FIELD, "")
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
