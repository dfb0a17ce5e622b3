"""What a person at a terminal sees of smsd-sim: replies, and why there is none."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from smpplib import consts
from smpplib.client import Client
from smpplib.exceptions import ConnectionError as ConnectionGone
from smpplib.exceptions import PDUError

from simulators.cli import main
from simulators.process import SimulatorFailed, SmscProcess

PHONE = "994500000001"


def run(smsc: SmscProcess, *arguments: str) -> Result:
    command, *rest = arguments
    address = f"127.0.0.1:{smsc.control_port}"
    return CliRunner().invoke(main, [command, "--control", address, *rest])


@contextmanager
def gateway(smsc: SmscProcess, reply: str | None, status: int = 0) -> Iterator[None]:
    """An ESME in a thread that answers every text with ``status``, and with ``reply`` if any."""
    client = Client(smsc.host, smsc.port, timeout=30, allow_unknown_opt_params=True)
    client.connect()
    client.bind_transceiver(system_id="smsd", password="secret")

    def answer(pdu: Any) -> int:
        if reply is not None:
            client.send_message(
                source_addr="8103",
                destination_addr=pdu.source_addr.decode(),
                short_message=reply.encode("utf-16-be"),
                data_coding=consts.SMPP_ENCODING_ISO10646,
            )
        return status

    def serve() -> None:
        with suppress(ConnectionGone):
            client.listen()

    client.set_message_received_handler(answer)
    thread = Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        with smsc.client() as control:
            control.drop_links()
        thread.join()
        client.state = consts.SMPP_CLIENT_STATE_OPEN  # It warns of leaving a bound state.
        client.disconnect()


def test_send_prints_the_reply_as_the_phone_shows_it(smsc: SmscProcess) -> None:
    """The text alone, in its own letters, so that it can be read and piped."""
    with gateway(smsc, "İcazə verildi: 10:15–12:15"):
        result = run(smsc, "send", "--from", f"+{PHONE}", "2 AZE 1111111")
    assert (result.exit_code, result.stdout) == (0, "İcazə verildi: 10:15–12:15\n")


def test_send_prints_json_for_machines(smsc: SmscProcess) -> None:
    """Everything about the reply, in one object."""
    with gateway(smsc, "Verildi"):
        result = run(smsc, "send", "--json", "--from", PHONE, "2 AZE 1111111")
    answer = json.loads(result.stdout)
    assert answer["ok"] is True
    assert answer["reply"]["text"] == "Verildi"
    assert answer["reply"]["sender"] == "8103"
    assert answer["reply"]["data_coding"] == 8


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (0, "was acknowledged, but no reply came"),
        (consts.SMPP_ESME_RX_R_APPN, "was refused: ESME_RX_R_APPN (0x66)"),
    ],
)
def test_send_without_a_reply_says_what_became_of_the_text(
    smsc: SmscProcess, status: int, why: str
) -> None:
    """Exit code 1, and whether the gateway took the message."""
    with gateway(smsc, None, status):
        result = run(smsc, "send", "--timeout", "0.5", "--from", PHONE, "2 AZE 1111111")
    assert result.exit_code == 1
    assert result.stderr.startswith("smsd-sim: no reply within 0.5 s: ")
    assert why in result.stderr


def test_send_with_nobody_bound_gives_up_at_once(smsc: SmscProcess) -> None:
    """Nothing is sent, and the message says what to do."""
    result = run(smsc, "send", "--from", PHONE, "2 AZE 1111111")
    assert result.exit_code == 1
    assert "nobody is bound as receiver for 8103" in result.stderr
    assert "smsd run" in result.stderr
    with smsc.client() as control:
        assert control.status()["waiting"] == 0


def test_send_with_queue_leaves_the_text_for_whoever_binds_later(smsc: SmscProcess) -> None:
    """It waits in the simulator after the person has given up."""
    result = run(smsc, "send", "--queue", "--timeout", "0.1", "--from", PHONE, "2 AZE 1111111")
    assert result.exit_code == 1
    assert "nobody is bound as receiver for 8103; the message waits" in result.stderr
    with gateway(smsc, "late"), smsc.client() as control:
        control.await_counter("received", 1)
        assert [each.text for each in control.received(PHONE)] == ["late"]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
def test_without_a_simulator_send_says_how_to_start_one(form: tuple[str, ...]) -> None:
    """Exit code 1 and the command to type."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # Bound but not listening: connections are refused.
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        result = CliRunner().invoke(
            main, ["send", "--control", address, *form, "--from", PHONE, "2 AZE 1111111"]
        )
    assert result.exit_code == 1
    words = json.loads(result.stdout)["error"] if form else result.stderr
    assert f"no simulator at {address}" in words
    assert f"smsd-sim smsc --control {address}" in words


def test_received_and_status_show_what_happened(smsc: SmscProcess) -> None:
    """The phone's messages with their sender, and the binds with their state."""
    with gateway(smsc, "Verildi"):
        run(smsc, "send", "--from", PHONE, "2 AZE 1111111")
        assert run(smsc, "received", PHONE).stdout == "8103: Verildi\n"
        assert "smsd bound_trx all" in run(smsc, "status").stdout
        assert json.loads(run(smsc, "status", "--json").stdout)["counters"]["acknowledged"] == 1


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["send", "2 AZE 1111111"], "--from"),
        (["send", "--from", "home", "x"], "994501234567"),
        (["send", "--from", PHONE, "--timeout", "0", "x"], "x>0"),
        (["send", "--from", PHONE, "--control", "2776", "x"], "HOST:PORT"),
        (["smsc", "--listen", "127.0.0.1:99999"], "HOST:PORT"),
        (["smsc", "--control", "0.0.0.0:2776"], "127.0.0.1:2776"),
        (["smsc", "--password", "longer than SMPP has room for"], "at most 8"),
        (["smsc", "--password", "x", "--password-file", __file__], "not both"),
        (["smsc", "--password-file", "/no/such/file"], "does not exist"),
        (["dance"], "No such command"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(arguments: list[str], advice: str) -> None:
    """Usage errors exit with 2 and show what is wanted."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert advice in result.stderr


@pytest.mark.parametrize("command", [[], ["smsc"], ["send"], ["received"], ["status"]])
def test_help_tells_a_stranger(command: list[str]) -> None:
    """Every command has help, and none of it is empty."""
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_a_taken_port_is_named(smsc: SmscProcess, capfd: pytest.CaptureFixture[str]) -> None:
    """A second simulator on the same port ends with 1 and says which port it is."""
    with pytest.raises(SimulatorFailed, match="ended with code 1"):
        SmscProcess(port=smsc.port)
    assert f"cannot listen on 127.0.0.1:{smsc.port}" in capfd.readouterr().err


def test_the_password_may_come_from_a_file(tmp_path: Path) -> None:
    """Its first line is the password, and the default one no longer works."""
    file = tmp_path / "password"
    file.write_text("hush\n")
    with SmscProcess("--password-file", str(file), "--system-id", "gate") as smsc:
        client = Client(smsc.host, smsc.port, timeout=30, allow_unknown_opt_params=True)
        client.connect()
        with pytest.raises(PDUError):
            client.bind_receiver(system_id="gate", password="secret")
        client.bind_receiver(system_id="gate", password="hush")
        client.unbind()
        client.disconnect()


def test_no_phone_number_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """The log tells of binds and closings, never of people."""
    with SmscProcess() as smsc, gateway(smsc, "Verildi"):
        run(smsc, "send", "--from", PHONE, "2 AZE 1111111")
    log = capfd.readouterr().err
    assert "bound" in log
    assert PHONE not in log
    assert "1111111" not in log
