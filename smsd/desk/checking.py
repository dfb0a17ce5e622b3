"""What a police officer learns of a permit: valid or not, until when, for what; nothing more."""

from pathlib import Path
from typing import NamedTuple

from rules import CompiledPolicy, reference
from smsd.desk.typed import DocumentTyped, ReferenceTyped
from storage.holders import find_holder
from storage.permits import Permit, Standing, permit_numbered, permits_of

__all__ = ["Checked", "Finding", "check_document", "check_reference"]

_DOCUMENT_SHOWN = 4


class Finding(NamedTuple):
    """One permit, as far as an officer need know it.

    purpose, region: titles by language, empty where the policy in force has none. until_us: when
    it ends, or ended. document_end: the last characters of the document, to be compared with the
    card; empty where the officer has named the document himself.
    """

    standing: Standing
    code: str
    purpose: dict[str, str]
    region: dict[str, str]
    from_us: int
    until_us: int
    document_end: str


class Checked(NamedTuple):
    """What was found. findings: the one permit of a reference; of a document, those that are valid
    or yet to begin. about: whose permits they are, for the audit.
    """

    findings: tuple[Finding, ...]
    about: str

    @property
    def valid(self) -> bool:
        """Whether somebody may be where he is."""
        return any(finding.standing is Standing.VALID for finding in self.findings)


def check_reference(url: str, policy: CompiledPolicy, typed: ReferenceTyped, at_us: int) -> Checked:
    """The permit of a reference.

    Raises:
        StoreError: the store cannot be read.
    """
    permit = permit_numbered(url, typed.number, reference.SERIALS)
    if permit is None:
        return Checked((), "")
    finding = _finding(policy, permit, at_us, permit.document[-_DOCUMENT_SHOWN:])
    return Checked((finding,), permit.document)


def check_document(
    url: str, register: Path | None, policy: CompiledPolicy, typed: DocumentTyped, at_us: int
) -> Checked:
    """The permits of whoever holds a document.

    Raises:
        StoreError: the store or the register cannot be read.
    """
    holder = find_holder(register, typed.text).name
    found = [
        _finding(policy, permit, at_us, "")
        for permit in permits_of(url, holder, policy.calendar, at_us)
        if permit.standing(at_us) in (Standing.VALID, Standing.TO_COME)
    ]
    found.sort(key=lambda finding: (finding.standing is Standing.TO_COME, finding.from_us))
    return Checked(tuple(found), typed.text)


def _finding(policy: CompiledPolicy, permit: Permit, at_us: int, document_end: str) -> Finding:
    content = policy.policy.content
    purpose, region = content.codes.get(permit.code), content.regions.get(permit.region or "")
    until_us = permit.valid_until_us
    return Finding(
        permit.standing(at_us),
        permit.code,
        dict(purpose.title) if purpose else {},
        dict(region.title) if region else {},
        permit.valid_from_us,
        until_us if permit.ended_us is None else min(until_us, permit.ended_us),
        document_end,
    )
