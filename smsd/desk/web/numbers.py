"""Numbers of rows, as addresses and forms name them."""

__all__ = ["number_in"]

_DIGITS_MAX = 18  # whatever they are, the store's integers hold them


def number_in(typed: str) -> int | None:
    """The number that was typed; None: it is none, or none of ours."""
    fits = typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS_MAX
    return int(typed) if fits else None
