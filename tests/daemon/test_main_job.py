"""A text in, a permit out: the real daemon, a real SMSC simulator, real TCP and SQLite."""

import re
import subprocess
import sys
from pathlib import Path

from daemon_process import Daemon, fetch, metric, smsc_section, write_config

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

PHONE = "994500000001"
REFERENCE = re.compile(r"№ ([2-9A-Z]{6})")


def reference_in(reply: str) -> str:
    found = REFERENCE.search(reply)
    assert found, reply
    return found[1]


def test_a_request_is_granted_and_a_repeat_gets_the_same_permit(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """The product's sentence, end to end."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        first = phones.text(PHONE, "2 AZE 1111111").text
        again = phones.text(PHONE, "2 aze1111111").text
        address = daemon.wait_for("started")["desk"]
        assert fetch(address, "livez") == (200, "alive\n")
        assert fetch(address, "readyz") == (200, "ready\n")
        assert metric(address, "smsd_messages_stored_total") == 2
    assert "AZE1111111" in first
    assert reference_in(first) == reference_in(again)


def test_the_reply_comes_from_the_short_number_and_expires_with_the_permit(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """A permit that arrives after its end would mislead; two hours minus what has passed."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])):
        reply = phones.text(PHONE, "1 AZE 1111111")
    assert reply.sender == "8103"
    assert reply.validity_period.startswith("000000015") or reply.validity_period.startswith(
        "000000020"
    )
    assert reply.validity_period.endswith("000R")


def test_a_long_household_sms_is_joined_and_answered_person_by_person(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """UCS-2 in several parts, each acknowledged, one reply."""
    documents = [f"DYİ {number}" for number in range(7000001, 7000008)]
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])):
        reply = phones.text(PHONE, "2 " + ", ".join(documents)).text
    for document in documents:
        assert document.replace("İ", "I").replace(" ", "") in reply


def test_nonsense_and_undecodable_sms_are_answered_and_acknowledged(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Odd UCS-2, a lone surrogate, unknown data_coding, binary: ROK, and how to text."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])):
        phones.watch(PHONE)
        for octets, data_coding in (
            (b"\x04\x10\x04", 8),
            (b"\xd8\x00", 8),
            (b"2 AZE", 11),
            (b"\x00\xff\xfe", 4),
            (b"", 0),
        ):
            serial = phones.send_octets(PHONE, octets, data_coding)
            assert "2 AZE 1234567" in phones.next_received(PHONE).text
            assert phones.message(serial)["state"] == "acknowledged"


def test_transmitter_and_receiver_binds_share_the_work(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """SMS come by the one, replies leave by the other."""
    section = smsc_section(smsc.port, more='bind = "transmitter+receiver"')
    with Daemon(write_config(tmp_path, [section])) as daemon:
        assert "AZE1111111" in phones.text(PHONE, "2 AZE 1111111").text
        assert daemon.wait_for("bound", bind="transmitter")
        binds = phones.status()["binds"]
        assert sorted(bind["state"] for bind in binds) == ["bound_rx", "bound_tx"]


def test_sigterm_unbinds_and_ends_with_zero(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """An orderly end: nothing unsettled, no bind left."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        phones.text(PHONE, "2 AZE 1111111")
        assert daemon.terminate() == 0
        assert phones.status()["binds"] == []
        assert '"stopped"' in daemon.log
        assert "unhandled_error" not in daemon.log


def test_sigterm_ends_even_without_an_smsc(tmp_path: Path, smsc: SmscProcess) -> None:
    """While it waits to connect again, it can be stopped as well."""
    port = smsc.port
    smsc.stop()
    with Daemon(write_config(tmp_path, [smsc_section(port)])) as daemon:
        daemon.wait_for("bind_failed")
        assert daemon.terminate() == 0


def test_no_log_line_names_a_phone_a_document_or_a_text(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Personal data stays in the store, at the most talkative level too."""
    config = write_config(tmp_path, [smsc_section(smsc.port)], limits='[log]\nlevel = "debug"')
    with Daemon(config) as daemon:
        phones.text(PHONE, "2 AZE 7654321")
        phones.text(PHONE, "gobbledygook 5550123")
        daemon.terminate()
    for secret in (PHONE, "7654321", "gobbledygook", "5550123"):
        assert secret not in daemon.log


def test_the_register_is_required_until_one_is_imported(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Without its register the daemon refuses nobody: the SMSC keeps the SMS until it is there."""
    config = write_config(tmp_path, [smsc_section(smsc.port)], mode="required")
    people = tmp_path / "people.csv"
    people.write_text("person,document,birth_date\nP1,AZE1111111,1980-05-05\n", encoding="utf-8")
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        phones.watch(PHONE)
        phones.send(PHONE, "2 AZE 1111111")
        daemon.wait_for("store_unavailable")
        status, reasons = fetch(address, "readyz")
        assert status == 503
        assert "smsd registry import FILE.csv" in reasons
        command = [sys.executable, "-m", "smsd", "registry", "import", str(people)]
        subprocess.run([*command, "--config", str(config)], check=True)
        assert "AZE1111111" in phones.next_received(PHONE).text
        assert "AZE2222222" in phones.text(PHONE, "2 AZE 2222222").text
        daemon.wait_for("store_available_again")


def test_explain_tells_what_stood_behind_a_reference(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Asked, known, decided, answered; also while the daemon runs, and for a repeat."""
    config = write_config(tmp_path, [smsc_section(smsc.port)])
    with Daemon(config):
        reference = reference_in(phones.text(PHONE, "2 AZE 1111111").text)
        phones.text(PHONE, "2 AZE 1111111")
        command = [sys.executable, "-m", "smsd", "explain", reference.lower()]
        told = subprocess.run(
            [*command, "--config", str(config)], check=True, capture_output=True, text=True
        ).stdout
    assert told.count(f"reference: {reference}") == 2
    assert "grant by rule" in told
    assert "already_granted by rule" in told
    assert "[sent]" in told
