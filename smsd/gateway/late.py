"""Replies that would have come after their permit ended: what their SMS become instead.

Such a reply is settled as expired, so its permits were of no use to anybody. They are taken back,
and the SMS comes before the rules once more, as if it had been sent now.
"""

from collections.abc import Sequence

from rules import CompiledPolicy
from storage import InboundMessage, ReplyOutcome, ReplyState, Transaction


def too_late(
    transaction: Transaction, policy: CompiledPolicy, outcomes: Sequence[ReplyOutcome]
) -> list[InboundMessage]:
    """The SMS to be decided anew or explained, dated now; their permits are taken back.

    A reply whose first outcome is unknown may have arrived, so its permits stand.
    """
    if policy.policy.content.late is None:
        return []
    expired_us = {
        outcome.reply_id: outcome.at_us
        for outcome in outcomes
        if outcome.state is ReplyState.EXPIRED and not outcome.resent
    }
    if not expired_us:
        return []
    taken_back = transaction.take_back(list(expired_us))
    return [
        message._replace(received_at_us=expired_us[message.renews])
        for message in taken_back
        if message.renews is not None
    ]
