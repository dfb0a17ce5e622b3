"""Batches between the daemon and its writer process, as octets.

Both ends are one installation on one machine, so `marshal` serves: plain tuples, strings and
numbers, at a tenth of what a portable format costs. A frame is its length and its octets.
"""

import marshal
from struct import Struct
from typing import Any

from smsd.gateway.writer import Batch, Counts, Done, Page
from storage import (
    InboundMessage,
    InboundPart,
    InboundReceipt,
    Reply,
    ReplyOutcome,
    ReplyState,
    Sweep,
)

LENGTH = Struct("<I")
# tuple.__new__ builds a NamedTuple in half the time of its own __new__.
_new = tuple.__new__
_STATES = tuple(ReplyState)  # by their numbers, which are 0, 1, 2, …


def frame(value: Any) -> bytes:
    """A value of plain tuples, lists, dicts, strings, octets and numbers, with its length."""
    octets = marshal.dumps(value)
    return LENGTH.pack(len(octets)) + octets


def unframe(octets: bytes) -> Any:
    """The value in a frame's octets, without its length."""
    return marshal.loads(octets)  # noqa: S302 - from our own process, over a private socket


def pack_batch(batch: Batch) -> Any:
    """A batch in plain values; NamedTuples are none."""
    return (
        [
            tuple(message)
            if message.part is None
            else tuple(message._replace(part=tuple(message.part)))  # type: ignore[arg-type]
            for message in batch.messages
        ],
        [(*outcome[:1], int(outcome.state), *outcome[2:]) for outcome in batch.outcomes],
        [tuple(read) for read in batch.reads],
        [tuple(receipt) for receipt in batch.receipts],
        None if batch.sweep is None else tuple(batch.sweep),
        batch.proof,
    )


def unpack_batch(value: Any) -> Batch:
    """What `pack_batch` was given."""
    messages, outcomes, reads, receipts, sweep, proof = value
    return Batch(
        [
            _new(InboundMessage, fields)
            if fields[8] is None
            else _new(InboundMessage, (*fields[:8], InboundPart(*fields[8]), *fields[9:]))
            for fields in messages
        ],
        [_new(ReplyOutcome, (each[0], _STATES[each[1]], *each[2:])) for each in outcomes],
        [Page(*fields) for fields in reads],
        tuple([_new(InboundReceipt, fields) for fields in receipts]),
        None if sweep is None else Sweep(*sweep),
        proof,
    )


def pack_done(done: Done) -> Any:
    """An outcome in plain values."""
    replies = None if done.replies is None else [tuple(reply) for reply in done.replies]
    pages = [page if isinstance(page, str) else [tuple(r) for r in page] for page in done.pages]
    return (replies, tuple(done.counts), done.refused, pages, done.fault, done.commit_s)


def unpack_done(value: Any) -> Done:
    """What `pack_done` was given."""
    replies, counts, refused, pages, fault, commit_s = value
    return Done(
        None if replies is None else [_new(Reply, fields) for fields in replies],
        Counts(*counts),
        refused,
        [page if isinstance(page, str) else [_new(Reply, f) for f in page] for page in pages],
        fault,
        commit_s,
    )
