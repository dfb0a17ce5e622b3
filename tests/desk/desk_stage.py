"""The whole desk of a real daemon that is not running: its door is asked, in virtual time."""

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from threading import Barrier
from typing import Any, NamedTuple
from urllib.parse import urlencode

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from virtual_reactor import VirtualClock, VirtualReactor

import rules
from smsd.config import Config, load_config
from smsd.daemon import Daemon
from smsd.desk.web.knock import Knock, Leaving

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
HOST = "127.0.0.1:8103"


class ThreadedReactor(VirtualReactor):
    """Threads may call into it, and it has some of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPool(0, 2)
        self._pool.start()

    def getThreadPool(self) -> ThreadPool:  # noqa: N802
        """See `IReactorThreads`."""
        return self._pool

    def spawnProcess(self, *_: object, **_named: object) -> None:  # noqa: N802
        """See `IReactorProcess`; in virtual time there are none."""
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")


class Got(NamedTuple):
    """An answer, its headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, Any]
    text: str


class DeskStage:
    """A daemon's desk over a real store."""

    def __init__(self, config: Config) -> None:
        self.reactor = ThreadedReactor()
        self.clock = VirtualClock(self.reactor)
        self.config = config
        self.daemon = Daemon(config, self.reactor, self.clock)
        self.desk = self.daemon.desk

    def close(self) -> None:
        """Let go of store and threads."""
        self._finish(self.daemon.stop())
        self.reactor.getThreadPool().stop()

    def take_newest_policy(self) -> None:
        """As SIGHUP has the daemon do."""
        self._finish(self.daemon.reload_policy())

    def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        body: bytes = b"",
        peer: str = "127.0.0.1",
        secure: bool = False,
        **headers: str,
    ) -> Got:
        """Knock at the door; of a header's name an underscore stands for a dash."""
        told = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        told.setdefault("host", HOST)
        if form is not None:
            body = urlencode(form).encode()
            told.setdefault("content-type", "application/x-www-form-urlencoded")
        path, _, query = path.partition("?")
        knock = Knock(method, path, query.encode(), told, body, peer, secure)
        return self.answer(knock)

    def answer(self, knock: Knock) -> Got:
        """What leaves for a request, once its threads are done."""
        return self.answer_all([knock])[0]

    def answer_all(
        self, knocks: Sequence[Knock], on_answer: Callable[[], None] = lambda: None
    ) -> list[Got]:
        """The same for requests that come at once; on_answer: called as each is answered."""

        async def answer(knock: Knock) -> Leaving:
            leaving = await self.desk.door.answer(knock)
            on_answer()
            return leaving

        asked = [ensureDeferred(answer(knock)) for knock in knocks]
        return [_got(self._finish(each)) for each in asked]

    def settle(self) -> None:
        """Wait for what threads were given to do beside an answer."""
        pool = self.reactor.getThreadPool()
        # They meet only when each has done what it had before.
        meeting = Barrier(pool.max)
        for one in [deferToThreadPool(self.reactor, pool, meeting.wait) for _ in range(pool.max)]:
            self._finish(one)

    def _finish(self, doing: "Deferred[Any]") -> Any:
        """Run what threads ask for until something is done; its result."""
        done: list[Any] = []
        doing.addBoth(done.append)
        while not done:
            self.reactor.run_one()
        assert not isinstance(done[0], Failure), done[0].getTraceback()
        return done[0]


def _got(leaving: Leaving) -> Got:
    cookies: SimpleCookie = SimpleCookie()
    for name, value in leaving.headers:
        if name == "Set-Cookie":
            cookies.load(value)
    headers = {name.lower(): value for name, value in leaving.headers}
    return Got(leaving.status, headers, cookies, leaving.octets.decode())


NewDesk = Callable[[str], DeskStage]
"""What the fixture `new_desk` does with lines of [desk]."""

CONFIG = """\
[policy]
file = "{policy}"
[store]
url = "sqlite:///{folder}/smsd.db"
[register]
mode = "off"
[desk]
{desk}
[[smsc]]
name = "simulator"
password = "secret"
"""


@contextmanager
def open_stage(folder: Path, desk: str = "") -> Iterator[DeskStage]:
    """A stage whose store lies in `folder`, with lines of [desk] of its own."""
    stage = DeskStage(load_config(write_config(folder, POLICY_FILE, desk), {}))
    try:
        yield stage
    finally:
        stage.close()


def write_config(folder: Path, policy: Path, desk: str = "") -> Path:
    """A configuration whose store lies in `folder`."""
    file = folder / "config.toml"
    file.write_text(CONFIG.format(policy=policy, folder=folder, desk=desk), encoding="utf-8")
    return file
