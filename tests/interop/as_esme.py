"""A foreign ESME on our simulated SMSC: it echoes what phones text to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from passed import errors, long_forms
from peer import Peer
from tap import WAIT_S, Tap
from verdicts import Column, Lacks, Step
from wireshark import dissect

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.smpp.constants import Command, Status

PHONE = "994500000001"
SHORT = ("2 AZE 1111111", "2 MYİ 1111112")
# No space at an end: Kannel takes it off.
LONG = (
    " ".join(["Two hours from now."] * 20),
    " ".join(["Yaşayış yerinizi 2 saat müddətinə tərk edə bilərsiniz."] * 6),
)
# After so much silence from the peer the simulator asks whether it is there.
ENQUIRE_LINK_S = "0.3"


class AsEsme:
    """The steps of one row."""

    def __init__(
        self,
        peer: Peer,
        tap: Tap,
        smsc: SmscProcess,
        control: ControlClient,
        folder: Path,
        lacks: Lacks,
    ) -> None:
        self._peer = peer
        self._tap = tap
        self._smsc = smsc
        self._control = control
        self._folder = folder
        self._lacks = lacks
        self._first_id = ""

    def steps(self) -> dict[Column, Step]:
        """What each column asks for, in the order it is played."""
        return {
            Column.BIND: self._bind,
            Column.MO: partial(self._texts_arrive, SHORT),
            Column.MT: partial(self._echoes_arrive, SHORT),
            Column.RECEIPT: self._receipt,
            Column.LONG_MO: partial(self._texts_arrive, LONG),
            Column.LONG_MT: self._long_echoes_arrive,
            Column.ENQUIRED_BY_PEER: self._enquired_by_peer,
            Column.ENQUIRED_BY_US: self._enquired_by_us,
            Column.UNBOUND_BY_PEER: self._unbound_by_peer,
            Column.UNBOUND_BY_US: self._unbound_by_us,
            Column.TSHARK: partial(dissect, self._tap, self._folder),
        }

    def _bind(self) -> None:
        """A wrong password is refused by its status, the right one is let in."""
        bind = Command.BIND_TRANSCEIVER
        self._tap.await_answer(bind, by_peer=True, status=Status.ESME_RINVPASWD)
        self._tap.await_answer(bind, by_peer=True)
        self._control.await_bound("8103", WAIT_S)
        self._control.watch(PHONE)

    def _texts_arrive(self, texts: tuple[str, ...]) -> None:
        for text in texts:
            self._control.send(PHONE, text)
            seen = self._peer.next("text")
            assert (seen["phone"], seen["number"]) == (PHONE, "8103"), seen
            assert seen["text"] == text, f"the peer read {seen['text']!r}"

    def _echoes_arrive(self, texts: tuple[str, ...]) -> None:
        for text in texts:
            shown = self._control.next_received(PHONE, "8103", WAIT_S)
            assert shown.text == text, f"the phone shows {shown.text!r}"
            assert shown.sound
            # The simulator counts what it takes; a peer may tell the first part's id or the last's.
            last = int(shown.message_id, 16)
            ids = [f"{serial:08x}" for serial in range(last - shown.parts + 1, last + 1)]
            self._peer.next("taken", ids)
            self._first_id = self._first_id or shown.message_id

    def _receipt(self) -> None:
        seen = self._peer.next("receipt", [self._first_id])
        assert seen["state"] == "DELIVRD", seen

    def _long_echoes_arrive(self) -> str:
        self._echoes_arrive(LONG)
        return long_forms(self._tap.pdus)

    def _enquired_by_peer(self) -> None:
        if Column.ENQUIRED_BY_PEER in self._lacks:
            self._tap.never(Command.ENQUIRE_LINK, by_peer=True)
        else:
            self._tap.await_answer(Command.ENQUIRE_LINK, by_peer=True)

    def _enquired_by_us(self) -> None:
        self._tap.await_answer(Command.ENQUIRE_LINK, by_peer=False)

    def _unbound_by_peer(self) -> None:
        """It takes its leave, and nothing is left unanswered."""
        self._control.send(PHONE, "bye")
        self._tap.await_answer(Command.UNBIND, by_peer=True)
        self._control.await_counter("unbound", 1, WAIT_S)
        counters = self._control.status()["counters"]
        assert counters["acknowledged"] == counters["delivered"], counters

    def _unbound_by_us(self) -> None:
        """Bound again, it is asked to leave; nothing was amiss on either side all the while."""
        self._control.await_counter("bound", 2, WAIT_S)
        counters = self._control.status()["counters"]
        assert (counters["bound"], counters["bind_refused"]) == (2, 1), counters
        self._smsc.terminate()
        if Column.UNBOUND_BY_US not in self._lacks:
            self._tap.await_answer(Command.UNBIND, by_peer=False)
        code = self._peer.end()
        assert code == 0, f"it ended with {code}: {self._peer.last_words}"
        assert not errors(self._tap.pdus), errors(self._tap.pdus)
        log = (self._folder / "smsc.log").read_text(encoding="utf-8")
        assert "peer fault" not in log, log


@contextmanager
def playing(command: list[str], folder: Path, lacks: Lacks) -> Iterator[AsEsme]:
    """The stage: simulator, tap and peer, for as long as the row takes."""
    options = ("--retry-delay", "0.05", "--enquire-link", ENQUIRE_LINK_S)
    with (
        (folder / "smsc.log").open("wb") as log,
        SmscProcess(*options, log=log) as smsc,
        smsc.client() as control,
        Tap(smsc.port, client_is_peer=True) as tap,
        Peer([*command, str(tap.port)]) as peer,
    ):
        yield AsEsme(peer, tap, smsc, control, folder, lacks)
