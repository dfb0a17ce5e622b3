"""Whose a permit is: the person that the register knows behind a document, else the document."""

from pathlib import Path
from typing import NamedTuple

from storage.records import Citizen
from storage.registry import Register

__all__ = ["Holder", "find_holder", "holder_of"]


class Holder(NamedTuple):
    """Who holds a document. name: as decisions name it; citizen: None: the register knows none."""

    name: str
    citizen: Citizen | None


def holder_of(document: str, citizen: Citizen | None) -> str:
    """Who a permit belongs to: the person where the register knows one, else the document."""
    return f"p:{citizen.person}" if citizen else f"d:{document}"


def find_holder(register: Path | None, document: str) -> Holder:
    """Who holds a document (canonical form), by the newest register; None: none is used.

    Raises:
        StoreUnavailable: no register has been imported, or it cannot be read.
    """
    if register is None:
        return Holder(holder_of(document, None), None)
    opened = Register(register)
    try:
        opened.refresh()
        citizen = opened.look_up([document]).get(document)
    finally:
        opened.close()
    return Holder(holder_of(document, citizen), citizen)
