"""A foreign SMSC: our daemon binds to it, decides what its phones text, and answers them."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from passed import errors, long_forms
from peer import Peer
from tap import Tap
from verdicts import Column, Lacks, Step
from wireshark import dissect

from smsd.smpp.constants import Command

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from daemon_process import Daemon, metric, smsc_section, write_config


class Asked(NamedTuple):
    """What a phone texts, and what its reply must hold: `words`, in one part or in several."""

    phone: str
    text: str
    words: tuple[str, ...]
    reply_is_long: bool = False


# MO and MT in GSM and in UCS-2.
SHORT = (
    Asked("994500000001", "2 AZE 1111111", ("AZE1111111",)),
    Asked("994500000002", "2 MYİ 1111112", ("MYI1111112",)),
    Asked("994500000003", "2 AA 1111113 en", ("Permit granted", "AA1111113")),
    Asked("994500000004", "hello", ("2 AZE 1234567",)),
)
HOUSEHOLD = range(7000001, 7000008)
LONG = (
    Asked(
        "994500000005",
        "2 " + ", ".join(f"DYİ {number}" for number in HOUSEHOLD),
        tuple(f"DYI{number}" for number in HOUSEHOLD),
        reply_is_long=True,
    ),
    Asked(
        "994500000006",
        "Please tell me how to text, for I have lost the paper that says it. " * 3,
        ("2 AZE 1234567",),
    ),
)
# After so much silence from the peer the daemon asks whether it is there.
ENQUIRE_LINK_S = 0.3
# What a peer says that does not know the answer to its own unbind; nobody listens any more.
_UNBIND_RESP_NACKED = "generic_nack ESME_RINVCMDID (0x3)"


class AsSmsc:
    """The steps of one row."""

    def __init__(self, peer: Peer, tap: Tap, daemon: Daemon, folder: Path, lacks: Lacks) -> None:
        self._peer = peer
        self._tap = tap
        self._daemon = daemon
        self._desk = daemon.wait_for("started")["desk"]
        self._folder = folder
        self._lacks = lacks

    def steps(self) -> dict[Column, Step]:
        """What each column asks for, in the order it is played."""
        return {
            Column.BIND: self._bind,
            Column.MO: partial(self._texts_are_taken, SHORT),
            Column.MT: partial(self._replies_come, SHORT),
            Column.RECEIPT: self._receipt,
            Column.LONG_MO: self._long_texts_are_taken,
            Column.LONG_MT: partial(self._replies_come, LONG),
            Column.ENQUIRED_BY_PEER: self._enquired_by_peer,
            Column.ENQUIRED_BY_US: self._enquired_by_us,
            Column.UNBOUND_BY_PEER: self._unbound_by_peer,
            Column.UNBOUND_BY_US: self._unbound_by_us,
            Column.TSHARK: partial(dissect, self._tap, self._folder),
        }

    def _bind(self) -> None:
        self._tap.await_answer(Command.BIND_TRANSCEIVER, by_peer=False)
        self._daemon.wait_for("bound")

    def _texts_are_taken(self, asked: tuple[Asked, ...]) -> None:
        for _ in asked:
            self._peer.next("taken")

    def _long_texts_are_taken(self) -> str:
        self._texts_are_taken(LONG)
        return long_forms(self._tap.pdus)

    def _replies_come(self, asked: tuple[Asked, ...]) -> None:
        for phone, text, words, is_long in asked:
            reply = self._peer.next("text")
            assert (reply["number"], reply["phone"]) == ("8103", phone), reply
            missing = [word for word in words if word not in reply["text"]]
            assert not missing, f"to {text!r} came {reply['text']!r}, without {missing}"
            assert (reply["parts"] > 1) is is_long, reply

    def _receipt(self) -> None:
        status = self._peer.next("reported")["status"]
        assert status == 0, f"the receipt was answered with status {status}"
        delivered = {"smsc": "simulator", "state": "delivered"}
        assert metric(self._desk, "smsd_receipts_total", delivered) == 1
        unmatched = metric(self._desk, "smsd_receipts_unmatched_total", {"smsc": "simulator"})
        assert unmatched == 0, "the receipt was matched with no reply"

    def _enquired_by_peer(self) -> None:
        if Column.ENQUIRED_BY_PEER in self._lacks:
            self._tap.never(Command.ENQUIRE_LINK, by_peer=True)
        else:
            self._tap.await_answer(Command.ENQUIRE_LINK, by_peer=True)

    def _enquired_by_us(self) -> None:
        self._tap.await_answer(Command.ENQUIRE_LINK, by_peer=False)

    def _unbound_by_peer(self) -> None:
        """The daemon lets it go, and is back soon."""
        self._tap.await_answer(Command.UNBIND, by_peer=True)
        self._daemon.wait_for("bound")

    def _unbound_by_us(self) -> None:
        """SIGTERM makes the daemon take its leave; nothing was amiss on either side."""
        assert self._daemon.terminate() == 0
        if Column.UNBOUND_BY_US not in self._lacks:
            self._tap.await_answer(Command.UNBIND, by_peer=False)
        code = self._peer.end()
        assert code == 0, f"it ended with {code}: {self._peer.last_words}"
        assert "peer_fault" not in self._daemon.log, self._daemon.log
        found = set(errors(self._tap.pdus))
        if Column.UNBOUND_BY_PEER in self._lacks:
            found.discard(_UNBIND_RESP_NACKED)
        assert not found, found


@contextmanager
def playing(command: list[str], folder: Path, lacks: Lacks) -> Iterator[AsSmsc]:
    """The stage: peer, tap and daemon, for as long as the row takes."""
    texts = json.dumps([(asked.phone, asked.text) for asked in (*SHORT, *LONG)])
    with (
        Peer([*command, texts]) as peer,
        Tap(peer.next("listening")["port"], client_is_peer=False) as tap,
    ):
        section = smsc_section(tap.port, more=f"enquire_link_s = {ENQUIRE_LINK_S}\nreceipts = true")
        with Daemon(write_config(folder, [section])) as daemon:
            yield AsSmsc(peer, tap, daemon, folder, lacks)
