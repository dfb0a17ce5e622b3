"""smsd and SMPP peers written by others: every row of the matrix, and whether it can be trusted."""

from pathlib import Path

import pytest
from matrix import play
from passed import Chunk
from rows import ROWS, Row
from verdicts import Cell, Column, NotInstalled, Outcome, judge
from wireshark import complaints

from smsd.smpp.codec import encode
from smsd.smpp.pdu import SubmitSm


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_it_gets_on_with(row: Row, tmp_path: Path) -> None:
    """Whatever a peer can do at all works with us, and what passes is sound to Wireshark too."""
    try:
        cells = play(row, tmp_path)
    except NotInstalled as reason:
        pytest.skip(str(reason))
    failed = {str(column): cell.words for column, cell in cells.items() if cell.outcome == "failed"}
    assert not failed


def test_wireshark_is_no_rubber_stamp(tmp_path: Path) -> None:
    """A sound PDU passes; one that says it is longer than it is, or that is not seen, does not."""
    sound = encode(SubmitSm(source_addr="8103", destination_addr="994500000001"), 1)
    cut_short = sound[:-1] + b"\x20"  # sm_length comes last, and nothing follows it
    try:
        assert complaints([Chunk(0, True, sound)], 1, tmp_path / "sound.pcap") == []
    except NotInstalled as reason:
        pytest.skip(str(reason))
    assert complaints([Chunk(0, True, cut_short)], 1, tmp_path / "cut_short.pcap")
    assert complaints([Chunk(0, True, sound)], 2, tmp_path / "unseen.pcap")


def test_a_lack_excuses_nothing_else() -> None:
    """A column that is lacking is shown as such only while the rest of its step holds."""

    def fails() -> None:
        raise AssertionError("amiss")

    lacks = {Column.MT: "no MT", Column.BIND: "no bind"}
    cells = judge({Column.MT: lambda: None, Column.BIND: fails, Column.MO: fails}, lacks)
    assert cells[Column.MT] == Cell(Outcome.LACKING, "no MT")
    assert cells[Column.BIND] == cells[Column.MO] == Cell(Outcome.FAILED, "amiss")
