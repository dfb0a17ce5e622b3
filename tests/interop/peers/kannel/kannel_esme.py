"""Debian's Kannel as an ESME that echoes: python kannel_esme.py PORT. See ../../peer.py.

bearerbox binds, twice: with the wrong password and with the right one. smsbox asks this script by
HTTP what to answer to a text, and tells it what became of the answer.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

SBIN = "/usr/sbin:/usr/local/sbin"
DELIVERED, ACCEPTED = "1", "8"  # Kannel's dlr-mask: a receipt, and the submit_sm_resp
DLR_MASK = str(int(DELIVERED) | int(ACCEPTED))
STATES = {DELIVERED: "DELIVRD", "2": "UNDELIV"}
UNITS_MAX = 70  # of one short message in UCS-2
ACCEPTED_BY_SMSBOX = 202
POLL_S = 0.02
ENQUIRE_LINK_S = 1  # the least that Kannel can be told

HERE = Path(__file__).parent
CORE = (HERE / "core.conf").read_text()
SMSC = (HERE / "smsc.conf").read_text()


def tell(saw: str, **fields: object) -> None:
    """Say to the tests what was seen."""
    print(json.dumps({"saw": saw} | fields), flush=True)


def free_port() -> int:
    """A port that was free a moment ago; Kannel cannot take port 0 and say which it got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def handler(leave, sendsms_port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            # Octets in whatever character set Kannel chose; it names it beside the text.
            query = parse_qs(url.query, encoding="latin-1")
            asked = {key: values[0] for key, values in query.items()}
            {"/text": self.text, "/report": self.report}[url.path](asked)

        def text(self, asked: dict[str, str]) -> None:
            text = asked["text"].encode("latin-1").decode(asked["charset"])
            if text == "bye":
                self.answer(b"")
                leave()
                return
            tell(
                "text",
                phone=asked["phone"].lstrip("+"),
                number=asked["number"],
                text=text,
                parts=1,
            )
            coding = "0" if text.isascii() else "2"
            if coding == "2" and len(text) > UNITS_MAX:
                self.answer(b"")
                self.send_by_http(asked, text, coding)
                return
            headers = {
                "X-Kannel-Coding": coding,
                "X-Kannel-DLR-Mask": DLR_MASK,
                "X-Kannel-DLR-Url": self.report_url(),
            }
            self.answer(text.encode(), headers)

        def report_url(self) -> str:
            return f"http://127.0.0.1:{self.server.server_port}/report?state=%d&id=%F"

        def send_by_http(self, asked: dict[str, str], text: str, coding: str) -> None:
            """Submit it as an application does that was not asked, instead of as a reply."""
            query = {
                "username": "test",
                "password": "test",
                "from": asked["number"],
                "to": asked["phone"],
                "text": text,
                "charset": "UTF-8",
                "coding": coding,
                "dlr-mask": DLR_MASK,
                "dlr-url": self.report_url(),
            }
            url = f"http://127.0.0.1:{sendsms_port}/cgi-bin/sendsms?{urlencode(query)}"
            with urlopen(url, timeout=30) as answer:
                assert answer.status == ACCEPTED_BY_SMSBOX, answer.status

        def report(self, asked: dict[str, str]) -> None:
            self.answer(b"")
            if asked["state"] == ACCEPTED:
                tell("taken", id=asked["id"])
            else:
                tell("receipt", id=asked["id"], state=STATES.get(asked["state"], asked["state"]))

        def answer(self, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: output is for the tests."""

    return Handler


def start(box: str, configuration: Path, stack: ExitStack) -> "subprocess.Popen[bytes]":
    program = shutil.which(box, path=SBIN)
    assert program is not None
    log = stack.enter_context(configuration.with_name(f"{box}.log").open("wb"))
    process = subprocess.Popen(
        [program, str(configuration)], stdout=log, stderr=log, cwd=configuration.parent
    )
    stack.callback(await_end, process)
    stack.callback(process.send_signal, signal.SIGTERM)
    return process


def await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """smsbox gives up at once where bearerbox does not listen yet; nothing tells when it does."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(POLL_S)
    raise ChildProcessError(f"bearerbox ended with {process.returncode}")


def await_end(process: "subprocess.Popen[bytes]") -> None:
    """Kannel 1.4.5 now and then misses a SIGTERM while it waits to reconnect: its own fault."""
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main(port: int) -> None:
    boxes: list[subprocess.Popen[bytes]] = []
    sendsms_port = free_port()
    script = HTTPServer(
        ("127.0.0.1", 0), handler(lambda: boxes[0].send_signal(signal.SIGTERM), sendsms_port)
    )
    Thread(target=script.serve_forever, daemon=True).start()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smsd-kannel-")))
        configuration = folder / "kannel.conf"
        sections = {
            password: SMSC.format(port=port, password=password, enquire_link_s=ENQUIRE_LINK_S)
            for password in ("wrong", "secret")
        }
        smsbox_port = free_port()
        core = CORE.format(
            admin_port=free_port(),
            smsbox_port=smsbox_port,
            sendsms_port=sendsms_port,
            script_port=script.server_port,
        )
        configuration.write_text(core + sections["wrong"] + sections["secret"])
        boxes.append(start("bearerbox", configuration, stack))
        await_port(smsbox_port, boxes[0])
        start("smsbox", configuration, stack)
        boxes[0].wait()
        configuration.write_text(core + sections["secret"])
        start("bearerbox", configuration, stack)
        sys.stdin.read()  # bearerbox answers an unbind and would connect again for ever.


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Unwinds: no box outlives this script.
main(int(sys.argv[1]))
