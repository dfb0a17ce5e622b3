"""The schema of the store, step by step; sqlite-utils records which steps a file has had."""

from sqlite_utils import Migrations

from storage.migrations import m0001_message_decision_reply, m0002_phones_blocks_activations

migrations = Migrations("smsd")
migrations(name="m0001_message_decision_reply")(m0001_message_decision_reply.step)
migrations(name="m0002_phones_blocks_activations")(m0002_phones_blocks_activations.step)

__all__ = ["migrations"]
