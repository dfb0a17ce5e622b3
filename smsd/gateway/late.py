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

    A reply that was perhaps sent before may have arrived: its permits stand, since somebody may
    have used the day, and its SMS is decided beside them.
    """
    if policy.policy.content.late is None:
        return []
    expired = {each.reply_id: each for each in outcomes if each.state is ReplyState.EXPIRED}
    if not expired:
        return []
    transaction.take_back([each for each in expired.values() if not each.resent])
    return [
        message._replace(received_at_us=expired[message.renews].at_us)
        for message in transaction.to_renew(list(expired))
        if message.renews is not None
    ]
