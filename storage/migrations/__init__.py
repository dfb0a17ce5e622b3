"""The schema of the store, step by step; sqlite-utils records which steps a file has had."""

from sqlite_utils import Migrations

from storage.migrations import (
    m0001_message_decision_reply,
    m0002_phones_blocks_activations,
    m0003_indexes_by_day,
    m0004_urgent_replies,
    m0006_receipts,
    m0007_dead_letters,
    m0008_audit_chain,
    m0009_users,
    m0010_history,
    m0011_counter,
    m0012_proposals,
)

migrations = Migrations("smsd")
migrations(name="m0001_message_decision_reply")(m0001_message_decision_reply.step)
migrations(name="m0002_phones_blocks_activations")(m0002_phones_blocks_activations.step)
migrations(name="m0003_indexes_by_day")(m0003_indexes_by_day.step)
migrations(name="m0004_urgent_replies")(m0004_urgent_replies.step)
migrations(name="m0006_receipts")(m0006_receipts.step)
migrations(name="m0007_dead_letters")(m0007_dead_letters.step)
migrations(name="m0008_audit_chain")(m0008_audit_chain.step)
migrations(name="m0009_users")(m0009_users.step)
migrations(name="m0010_history")(m0010_history.step)
migrations(name="m0011_counter")(m0011_counter.step)
migrations(name="m0012_proposals")(m0012_proposals.step)

__all__ = ["migrations"]
