"""The simulator as Debian's Kannel sees it: a gateway in production use, bound over TCP."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

PHONE = "994500000002"
STATIC_TEXT = "Kannel got your message"
LONG_GSM = "Two hours from now. " * 20
LONG_UCS2 = "Yaşayış yerinizi 2 saat müddətinə tərk edə bilərsiniz. " * 6
SBIN = "/usr/sbin:/usr/local/sbin"

pytestmark = pytest.mark.skipif(
    not (shutil.which("bearerbox", path=SBIN) and shutil.which("smsbox", path=SBIN)),
    reason="Debian's package kannel is not installed",
)

CONFIGURATION = """
group = core
admin-port = {admin_port}
admin-interface = 127.0.0.1
admin-password = test
smsbox-port = {smsbox_port}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = simulator
host = {smsc_host}
port = {smsc_port}
transceiver-mode = true
smsc-username = smsd
smsc-password = {password}
system-type = ""
interface-version = 34

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms_port}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = test
password = test
max-messages = 10
concatenation = true

group = sms-service
keyword = long
text = "{long_text}"
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
text = "{static_text}"
"""


def free_port() -> int:
    """A port that was free a moment ago; Kannel cannot take port 0 and say which it got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Kannel(NamedTuple):
    """A running bearerbox, and where its smsbox takes submissions by HTTP."""

    sendsms_port: int

    def send(self, text: str) -> int:
        """Submit ``text`` to PHONE through Kannel; the HTTP status, 202 when it was taken."""
        query = urlencode(
            {
                "username": "test",
                "password": "test",
                "from": "8103",
                "to": f"+{PHONE}",
                "text": text,
                "charset": "UTF-8",
                "coding": 0 if text.isascii() else 2,
            }
        )
        url = f"http://127.0.0.1:{self.sendsms_port}/cgi-bin/sendsms?{query}"
        with urlopen(url, timeout=30) as answer:
            return int(answer.status)


def _await_end(process: "subprocess.Popen[bytes]") -> None:
    """Kannel 1.4.5 now and then misses a SIGTERM while it waits to reconnect: its own fault."""
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start(box: str, configuration: Path, stack: ExitStack) -> None:
    """Run one of Kannel's programs until the stack unwinds; it logs beside its configuration."""
    program = shutil.which(box, path=SBIN)
    assert program is not None
    log = stack.enter_context(configuration.with_name(f"{box}.log").open("wb"))
    process = subprocess.Popen(
        [program, str(configuration)], stdout=log, stderr=log, cwd=configuration.parent
    )
    stack.callback(_await_end, process)
    stack.callback(process.send_signal, signal.SIGTERM)


def configure(directory: Path, smsc: SmscProcess, password: str) -> tuple[Path, int]:
    sendsms_port = free_port()
    configuration = directory / "kannel.conf"
    configuration.write_text(
        CONFIGURATION.format(
            admin_port=free_port(),
            smsbox_port=free_port(),
            sendsms_port=sendsms_port,
            smsc_host=smsc.host,
            smsc_port=smsc.port,
            password=password,
            static_text=STATIC_TEXT,
            long_text=LONG_GSM,
        )
    )
    return configuration, sendsms_port


@pytest.fixture
def kannel(smsc: SmscProcess, control: ControlClient, tmp_path: Path) -> Iterator[Kannel]:
    """A Kannel that is bound, and whose smsbox has answered a first text."""
    configuration, sendsms_port = configure(tmp_path, smsc, "secret")
    with ExitStack() as stack:
        start("bearerbox", configuration, stack)
        control.await_bound("8103")
        start("smsbox", configuration, stack)
        assert control.text("994500000009", "are you there").text == STATIC_TEXT
        yield Kannel(sendsms_port)


def test_a_text_and_its_reply_go_through_kannel(kannel: Kannel, control: ControlClient) -> None:
    """MO by deliver_sm, MT by submit_sm, each acknowledged by the other side."""
    reply = control.text(PHONE, "2 AZE 1111111")
    assert (reply.sender, reply.text, reply.sound) == ("8103", STATIC_TEXT, True)
    control.await_counter("acknowledged", 2)
    status = control.status()
    assert status["last_deliver_status"] == status["last_submit_status"] == "ESME_ROK (0x0)"


def test_kannels_own_long_reply_arrives_whole(kannel: Kannel, control: ControlClient) -> None:
    """Kannel cuts a long static text into parts; the phone shows one message."""
    reply = control.text(PHONE, "long")
    assert reply.text.split() == LONG_GSM.split()
    assert reply.parts > 1


@pytest.mark.parametrize("text", [LONG_GSM, LONG_UCS2], ids=["gsm", "ucs2"])
def test_long_texts_submitted_through_kannel_arrive_whole(
    kannel: Kannel, control: ControlClient, text: str
) -> None:
    """What an HTTP client gives to Kannel is what the phone shows, whatever the alphabet."""
    control.watch(PHONE)
    assert kannel.send(text) == 202
    received = control.next_received(PHONE)
    assert (received.text.strip(), received.sound) == (text.strip(), True)
    assert received.parts > 1


def test_kannel_takes_long_texts_from_a_phone(kannel: Kannel, control: ControlClient) -> None:
    """Every part of a long UCS-2 text is acknowledged by Kannel."""
    serial = control.send(PHONE, LONG_UCS2)
    parts = control.message(serial)["parts"]
    control.await_counter("acknowledged", 1 + parts)
    assert parts > 1
    assert control.message(serial)["state"] == "acknowledged"


def test_kannel_with_a_wrong_password_stays_outside(
    smsc: SmscProcess, control: ControlClient, tmp_path: Path
) -> None:
    """A real gateway understands the refusal, and is never counted as bound."""
    configuration, _ = configure(tmp_path, smsc, "wrong")
    with ExitStack() as stack:
        start("bearerbox", configuration, stack)
        control.await_counter("bind_refused", 1)
        assert control.status()["counters"]["bound"] == 0
