"""Counts who asks for far more than others, in a process of its own that yields to everything.

Questions come as JSON by standard input, numbers go as JSON to standard output.
"""

import json
import os
import resource
import sys
from typing import NamedTuple

from storage.abuse import count_above
from storage.store import StoreError

__all__ = ["Question"]

_NICE = 19
_MEMORY_MAX_BYTES = 1 << 30  # a week of a whole nation is not worth the daemon's cache


class Question(NamedTuple):
    """One [[abuse]] of a policy; see `storage.abuse.measure`."""

    what: str
    codes: list[str]
    since_us: int
    at_least: int


def main() -> int:
    """Read the URL of the store and the questions; write for each [above, everybody]."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX_BYTES, _MEMORY_MAX_BYTES))
    url, asked = json.load(sys.stdin)
    try:
        found = [count_above(url, *Question(*each)) for each in asked]
    except StoreError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
