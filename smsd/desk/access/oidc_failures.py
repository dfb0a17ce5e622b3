"""Why a sign-in by an OpenID Connect provider came to nothing."""

from enum import StrEnum

__all__ = ["Failure", "SignInFailed", "error_code"]

# RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6.
_ERRORS = (
    "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
    "invalid_scope", "server_error", "temporarily_unavailable", "invalid_client", "invalid_grant",
    "unsupported_grant_type", "interaction_required", "login_required", "consent_required",
    "account_selection_required",
)  # fmt: skip


class Failure(StrEnum):
    """Why nobody was signed in; each has its words at the desk."""

    DOWN = "down"  # the provider cannot be reached
    ANSWER = "answer"  # the provider answers what cannot be used
    CODE = "code"  # the provider does not take the code: used, or too old
    TOKEN = "token"  # noqa: S105 - the token is not sound, or not for us
    EXPIRED = "expired"  # the token's time is over: the clocks differ, or it was held back
    DENIED = "denied"  # the provider, or the person there, says no
    UNKNOWN = "unknown"  # a return without a beginning in this browser, or too late
    NO_ROLE = "no_role"  # known there, and nobody here
    NO_NAME = "no_name"  # nothing that the audit could call him
    TAKEN = "taken"  # another user of the desk has that name
    BUSY = "busy"  # too many others are signing in


class SignInFailed(Exception):
    """Nobody was signed in. detail: for the log; names nobody."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.detail = detail


def error_code(said: object) -> str:
    """An error's code, if the standards know it: others could be anybody's name."""
    return str(said) if said in _ERRORS else "another error"
