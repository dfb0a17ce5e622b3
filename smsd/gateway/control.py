"""The control door: a Unix socket on which a running daemon is asked to act.

One JSON object a line, answered by one JSON object a line, in turn. Who may open the socket may
ask: it is made for the daemon's user alone.
"""

import contextlib
import json
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

_log = structlog.get_logger("smsd.control")

_MODE = 0o600
_LINE_OCTETS_MAX = 4_096
_IDLE_S = 60

Answer = Callable[[dict[str, Any]], "Deferred[dict[str, Any]]"]


class ControlDoor:
    """Open while the daemon runs. One that cannot be opened is a log line and keeps nobody up."""

    def __init__(self, reactor: Any, path: Path, answer: Answer) -> None:
        self._reactor = reactor
        self._path = path
        self._answer = answer
        self._port: IListeningPort | None = None

    def open(self) -> None:
        """Listen, in the place of a daemon that was killed."""
        if _left_behind(self._path):
            self._path.unlink()
        factory = Factory.forProtocol(lambda: _Caller(self._answer))
        factory.noisy = False
        try:
            self._port = self._reactor.listenUNIX(str(self._path), factory, mode=_MODE)
        except CannotListenError as fault:
            _log.error(
                "no_control",
                socket=str(self._path),
                reason=str(fault.socketError),
                advice="name another place in control.socket",
            )

    async def close(self) -> None:
        """Listen no more; the socket is gone from its folder."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)


def _left_behind(path: Path) -> bool:
    """Whether a socket lies there on which nobody listens."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


class _Caller(LineOnlyReceiver, TimeoutMixin):
    """One that asks."""

    delimiter = b"\n"
    MAX_LENGTH = _LINE_OCTETS_MAX

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connectionMade(self) -> None:  # noqa: N802
        """Let nobody keep the line for ever."""
        self.setTimeout(_IDLE_S)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802
        """What is being done is done all the same."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """A request."""
        self.resetTimeout()  # type: ignore[no-untyped-call]
        request: object = None
        with contextlib.suppress(ValueError, RecursionError):
            request = json.loads(line)
        if not isinstance(request, dict):
            self._say({"ok": False, "error": 'one JSON object a line, such as {"do": "list"}'})
            return
        self._answer(request).addCallbacks(self._say, self._apologise)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        """What comes after it could be anything."""
        self._say({"ok": False, "error": f"a request has at most {_LINE_OCTETS_MAX} octets"})
        assert self.transport is not None
        self.transport.loseConnection()

    def _apologise(self, failure: Failure) -> None:
        assert failure.type is not None
        assert failure.value is not None
        exc_info = (failure.type, failure.value, failure.getTracebackObject())
        _log.error("control_failed", exc_info=exc_info)
        self._say({"ok": False, "error": "a bug in the daemon; see its log"})

    def _say(self, answer: dict[str, Any]) -> None:
        if self.transport is not None and self.connected:
            self.sendLine(json.dumps(answer).encode())  # type: ignore[no-untyped-call]
