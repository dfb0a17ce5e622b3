"""Replies of one SMSC that wait, of one urgency: all on disk, the next few thousand in memory.

After a restart and after an overflow the rest is read page by page, by the same path, and so are
those that somebody put back.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from operator import attrgetter

from twisted.python.failure import Failure

from smsd.gateway.commit_lane import CommitLane
from storage import Reply

_id_of = attrgetter("id")


class Backlog:
    """Oldest first. Bounded by `memory_max` replies in memory."""

    def __init__(
        self,
        lane: CommitLane,
        smsc: str,
        urgent: bool,
        memory_max: int,
        inherited_id_max: int,
        on_page: Callable[[], None],
        try_later: Callable[[Callable[[], None]], object],
    ) -> None:
        """Replies up to `inherited_id_max` were stored by a daemon before this one."""
        self._lane = lane
        self._smsc = smsc
        self._urgent = urgent
        self._memory_max = memory_max
        self._inherited_id_max = inherited_id_max
        self._on_page = on_page
        self._try_later = try_later
        self._waiting: deque[Reply] = deque()
        self._newest_id = 0  # of the replies that came into memory
        self._more_on_disk = True
        self._newest_retry = 0  # of the replies that were put back and came into memory
        self._more_retries = True
        self._paging = False

    def __len__(self) -> int:
        """Replies in memory."""
        return len(self._waiting)

    @property
    def oldest_us(self) -> int | None:
        """When the SMS came whose reply is next; None while none is in memory."""
        return self._waiting[0].received_at_us if self._waiting else None

    def look_on_disk(self) -> None:
        """Read what is stored and not in memory: at the start, or after a fault."""
        self._more_on_disk = self._more_retries = True
        self.page_in()

    def add(self, replies: list[Reply]) -> None:
        """Take over replies that were just committed."""
        if self._more_on_disk:
            return  # the next page brings them, in order
        room = self._memory_max - len(self._waiting)
        if len(replies) > room:
            self._more_on_disk = True
            replies = replies[: max(room, 0)]
        if replies:
            self._waiting.extend(replies)
            self._newest_id = replies[-1].id

    def next(self) -> Reply | None:
        """Take the oldest; None while none is in memory."""
        return self._waiting.popleft() if self._waiting else None

    def put_back(self, reply: Reply) -> None:
        """Back to its place."""
        self._waiting.insert(bisect_left(self._waiting, reply.id, key=_id_of), reply)

    def page_in(self) -> None:
        """Ask for the next page from disk when memory has run half empty."""
        retried = self._more_retries  # first: they have waited longest
        if self._paging or not (retried or self._more_on_disk):
            return
        if len(self._waiting) > self._memory_max // 2:
            return
        self._paging = True
        self._more_retries = False  # more may be put back while the page is read
        after, take = self._newest_id, self._take_page
        if retried:
            after, take = self._newest_retry, self._take_retries
        limit = max(1, self._memory_max // 2)
        page = self._lane.unsent(self._smsc, after, limit, self._urgent, retried)
        page.addCallbacks(take, self._page_failed, callbackArgs=(limit,))

    def _take_page(self, replies: list[Reply], limit: int) -> None:
        self._paging = False
        if replies:
            self._waiting.extend(map(self._doubted, replies))
            self._newest_id = replies[-1].id
        self._more_on_disk = len(replies) == limit
        self._on_page()

    def _take_retries(self, replies: list[Reply], limit: int) -> None:
        self._paging = False
        for reply in replies:
            self.put_back(self._doubted(reply))
            self._newest_retry = reply.retried
        if len(replies) == limit:
            self._more_retries = True
        self._on_page()

    def _doubted(self, reply: Reply) -> Reply:
        """A reply that another daemon left unsent may have been submitted when it was killed."""
        return reply._replace(resent=True) if reply.id <= self._inherited_id_max else reply

    def _page_failed(self, _failure: Failure) -> None:
        self._paging = False
        self._more_retries = True  # if it was theirs
        self._try_later(self.page_in)
