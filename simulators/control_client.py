"""A blocking client of the control protocol (``simulators.control``), for terminals and tests."""

import json
import socket
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from simulators.phone import Received, digits


class SimulatorUnreachable(Exception):
    """No simulator answers at that address, or it went away."""


class ControlRefused(Exception):
    """The simulator declined; ``reason`` is a word of the protocol, the text is for people."""

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(error)
        self.reason = reason


class NoAnswer(Exception):
    """What was waited for did not come in time."""


class ControlClient:
    """One connection to a running simulator. Not for several threads at once.

    Every method raises SimulatorUnreachable, ControlRefused, or NoAnswer after ``timeout_s``.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 2776, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s
        self._buffer = b""
        self._events: deque[Received] = deque()
        self._last_id = 0
        try:
            self._socket = socket.create_connection((host, port), timeout=timeout_s)
        except OSError as error:
            raise SimulatorUnreachable(
                f"no simulator at {host}:{port}: {error.strerror}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def call(
        self, op: str, fields: Mapping[str, Any] | None = None, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """One request and its answer, without ``id`` and ``ok``."""
        deadline = self._deadline(timeout_s)
        self._last_id += 1
        request = {"op": op, "id": self._last_id} | dict(fields or {})
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise SimulatorUnreachable("the simulator has closed the connection") from error
        while True:
            answer = self._read(deadline)
            if "event" in answer:
                self._events.append(Received(**answer["message"]))
            elif answer.pop("id") in (self._last_id, None):
                if not answer.pop("ok"):
                    raise ControlRefused(answer["reason"], answer["error"])
                return answer

    def send(self, phone: str, text: str, to: str = "8103", queue: bool = True) -> int:
        """Text ``to`` from ``phone``; the message's number."""
        sent = self.call("send", {"from": phone, "to": to, "text": text, "queue": queue})
        return int(sent["message"])

    def send_octets(
        self, phone: str, octets: bytes, data_coding: int, to: str = "8103", esm_class: int = 0
    ) -> int:
        """Text octets as they are; the message's number."""
        fields = {"octets": octets.hex(), "data_coding": data_coding, "esm_class": esm_class}
        sent = self.call("send", {"from": phone, "to": to} | fields)
        return int(sent["message"])

    def message(self, serial: int) -> dict[str, Any]:
        """What became of a message: state, attempts, parts, bound, last_status."""
        return self.call("message", {"message": serial})

    def watch(self, phone: str) -> None:
        """Have ``next_received`` tell what ``phone`` receives from now on."""
        self.call("watch", {"phone": phone})

    def next_received(
        self, phone: str, sender: str | None = None, timeout_s: float | None = None
    ) -> Received:
        """The next message on a watched phone, from ``sender`` if one is given."""
        deadline = self._deadline(timeout_s)
        number = digits(phone)
        while True:
            for received in self._events:
                if received.phone == number and sender in (None, received.sender):
                    self._events.remove(received)
                    return received
            event = self._read(deadline)
            if "event" in event:
                self._events.append(Received(**event["message"]))

    def text(
        self,
        phone: str,
        text: str,
        to: str = "8103",
        timeout_s: float | None = None,
        queue: bool = True,
    ) -> Received:
        """Text ``to`` and wait for the reply: the next message that ``phone`` gets from ``to``.

        NoAnswer tells what became of the message. A reply to an earlier text that comes late is
        taken for this one's, as a person would take it.
        """
        deadline = self._deadline(timeout_s)
        self.watch(phone)
        serial = self.send(phone, text, to, queue)
        # The answer to ``send`` precedes the reply, so what is here already is no reply to it.
        self._events = deque(each for each in self._events if each.phone != digits(phone))
        try:
            return self.next_received(phone, to, deadline - time.monotonic())
        except NoAnswer:
            raise NoAnswer(self._fate(serial, to)) from None

    def received(self, phone: str) -> list[Received]:
        """All that ``phone`` has, oldest first."""
        return [Received(**each) for each in self.call("received", {"phone": phone})["messages"]]

    def status(self) -> dict[str, Any]:
        """Binds, counters, waiting, last statuses, faults."""
        return self.call("status")

    def fault(self, **knobs: bool | int | str | None) -> dict[str, Any]:
        """Set some knobs of ``simulators.faults.Faults``; the status."""
        return self.call("fault", knobs)

    def drop_links(self) -> int:
        """Cut every SMPP connection; how many."""
        return int(self.call("drop")["dropped"])

    def await_bound(self, address: str = "8103", timeout_s: float | None = None) -> None:
        """Return when an ESME is bound to receive what is sent to ``address``."""
        self.call("await", {"bound": address}, timeout_s)

    def await_counter(self, name: str, at_least: int, timeout_s: float | None = None) -> None:
        """Return when a counter (see ``simulators.limits.Counters``) has got there."""
        self.call("await", {"counter": name, "at_least": at_least}, timeout_s)

    def _fate(self, serial: int, to: str) -> str:
        fate = self.message(serial)
        status = fate["last_status"]
        match fate["state"]:
            case "waiting":
                if fate["bound"]:
                    return "the message waits in the simulator: deliveries are held up"
                return f"nobody is bound as receiver for {to}; the message waits in the simulator"
            case "sent":
                return "the message was delivered, but not acknowledged"
            case "retrying":
                why = f"answered {status}" if status else "not acknowledged"
                return f"the message was {why}, and will be delivered again"
            case "refused":
                return f"the message was refused: {status or 'not acknowledged'}"
            case _:
                return "the message was acknowledged, but no reply came"

    def _deadline(self, timeout_s: float | None) -> float:
        return time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NoAnswer("no answer in time")
            self._socket.settimeout(remaining)
            try:
                data = self._socket.recv(65_536)
            except TimeoutError:
                continue
            except OSError as error:
                raise SimulatorUnreachable("the connection to the simulator broke") from error
            if not data:
                raise SimulatorUnreachable("the simulator has closed the connection")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer
