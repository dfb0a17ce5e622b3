"""What every answer of the desk says about itself, and how its cookies are set."""

from collections.abc import Iterator

__all__ = [
    "COMMON",
    "CONTENT_POLICY",
    "FORM",
    "LANGUAGE",
    "SESSION",
    "THEME",
    "TRANSPORT",
    "carried",
    "cookie",
    "delete_cookie",
]

SESSION = "smsd"
FORM = "form"  # stands in for a session: what the token of a form is compared with
LANGUAGE = "language"
THEME = "theme"

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

COMMON = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Server": "smsd",
}

# Only where the answer itself came by TLS: by plain HTTP a browser must ignore it (RFC 6797 §7.2).
TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}


def carried(name: str) -> str:
    """A cookie's name as browsers carry it; __Host- has them refuse it without Secure."""
    return f"__Host-{name}"


def cookie(name: str, value: str, lasts_s: int | None = None, same_site: str = "Strict") -> str:
    """A Set-Cookie line of a cookie that neither scripts, plain HTTP nor other sites see."""
    return "; ".join(_parts(name, value, lasts_s, same_site))


def delete_cookie(name: str) -> str:
    """A Set-Cookie line that ends a cookie."""
    return cookie(name, "", lasts_s=0)


def _parts(name: str, value: str, lasts_s: int | None, same_site: str) -> Iterator[str]:
    yield f"{carried(name)}={value}"
    yield "Path=/"
    if lasts_s is not None:
        yield f"Max-Age={lasts_s}"
    yield "Secure"
    yield "HttpOnly"
    yield f"SameSite={same_site}"
