"""``smsd-sim``: run a simulated SMSC, and text as its phones do."""

import ipaddress
import json
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn, cast

import click
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver, globalLogBeginner, textFileLogObserver

from simulators import control
from simulators.control_client import (
    ControlClient,
    ControlRefused,
    NoAnswer,
    SimulatorUnreachable,
)
from simulators.limits import SmscLimits
from simulators.phone import digits
from simulators.reactor import Port
from simulators.smsc import Smsc
from smsd.smpp.limits import SessionLimits

Address = tuple[str, int]

FAILED = 1
CONTROL_PORT = 2776


class AddressType(click.ParamType[Address]):
    """HOST:PORT, IPv6 in brackets; with ``loopback`` only addresses of this machine."""

    name = "HOST:PORT"

    def __init__(self, loopback: bool = False) -> None:
        self._loopback = loopback

    def convert(
        self, value: str | Address, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Split the address; a wrong one is a usage error that shows a right one."""
        if isinstance(value, tuple):
            return value
        host, _, port = value.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            self.fail(f"{value!r} is no address; write HOST:PORT, as in 127.0.0.1:2775", param, ctx)
        if host == "localhost":
            host = "127.0.0.1"
        if self._loopback and not _is_loopback(host):
            self.fail(
                f"{value!r} is open to others, and the control protocol has no password;"
                " use an address of this machine alone, as in 127.0.0.1:2776",
                param,
                ctx,
            )
        return host, int(port)


class PhoneType(click.ParamType[str]):
    """A phone number or short number."""

    name = "NUMBER"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Keep the digits; anything else is a usage error that shows a number."""
        try:
            return digits(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


control_option = click.option(
    "--control",
    "control_address",
    type=AddressType(loopback=True),
    default="127.0.0.1:2776",
    show_default=True,
    help="Where the simulator takes commands.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="smsd", prog_name="smsd-sim")
def main() -> None:
    """A simulated mobile network: an SMS centre (SMPP 3.4) and its phones.

    Start the centre in one terminal, bind your gateway to it, and text from another terminal:

    \b
        smsd-sim smsc
        smsd-sim send --from 994501234567 "2 AZE 1111111"
    """


@main.command()
@click.option(
    "--listen",
    "smpp_address",
    type=AddressType(),
    default="127.0.0.1:2775",
    show_default=True,
    help="Where gateways (ESMEs) bind; port 0 takes a free one.",
)
@control_option
@click.option("--system-id", default="smsd", show_default=True, help="Who may bind.")
@click.option("--password", help="With which password (at most 8 characters).  [default: secret]")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the password from the first line of this file.",
)
@click.option(
    "--retry-delay",
    "retry_delay_s",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Seconds until a message that met a temporary error is delivered again.",
)
@click.option(
    "--enquire-link",
    "enquire_link_s",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds of silence from a gateway, after which it is asked whether it is there.",
)
@click.option(
    "--response-timeout",
    "response_timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds until a delivery without a response counts as not acknowledged.",
)
@click.option(
    "--throughput",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Take so many submissions a second, and answer more with ESME_RTHROTTLED; 0: no limit.",
)
def smsc(
    smpp_address: Address,
    control_address: Address,
    system_id: str,
    password: str | None,
    password_file: Path | None,
    retry_delay_s: float,
    enquire_link_s: float,
    response_timeout_s: float,
    throughput: int,
) -> None:
    """Run the SMS centre until it is stopped (Ctrl-C).

    It says "listening on HOST:PORT" when gateways can bind, then "control on HOST:PORT". Messages
    for a number wait while nobody is bound for it.
    """
    if password is not None and password_file is not None:
        raise click.UsageError("Give either --password or --password-file, not both.")
    if password_file is not None:
        password = (password_file.read_text(encoding="utf-8").splitlines() or [""])[0]
    if password is None:
        password = "secret"  # noqa: S105 - the simulator's published one
    _check_length("--system-id", system_id, 15)  # §4.1.1: 16 octets with the NUL
    _check_length("--password", password, 8)  # §4.1.1: 9 octets with the NUL
    limits = SmscLimits(
        retry_delay_s=retry_delay_s,
        session=SessionLimits(response_timeout_s=response_timeout_s, enquire_link_s=enquire_link_s),
    )
    sys.exit(_serve(smpp_address, control_address, system_id, password, limits, throughput))


@main.command()
@click.option("--from", "phone", type=PhoneType(), required=True, help="The phone that texts.")
@click.option(
    "--to", type=PhoneType(), default="8103", show_default=True, help="The number it texts."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the reply.",
)
@click.option("--queue", is_flag=True, help="When nobody is bound, wait instead of giving up.")
@control_option
@json_option
@click.argument("text")
def send(
    phone: str,
    to: str,
    timeout_s: float,
    queue: bool,
    control_address: Address,
    as_json: bool,
    text: str,
) -> None:
    """Text TEXT from a phone, and print the reply as the phone shows it.

    The exit code is 1 when no reply comes, and the message says why.
    """
    started = time.monotonic()
    with _connect(control_address, as_json) as client:
        try:
            reply = client.text(phone, text, to, timeout_s, queue)
        except NoAnswer as error:
            _fail(f"no reply within {timeout_s:g} s: {error}", "no_reply", as_json)
        except ControlRefused as error:
            _fail(_refusal(error), error.reason, as_json)
        except SimulatorUnreachable as error:
            _fail(str(error), "unreachable", as_json)
    if as_json:
        seconds = round(time.monotonic() - started, 6)
        _print_json({"ok": True, "reply": reply._asdict(), "seconds": seconds})
    else:
        click.echo(reply.text)


@main.command()
@control_option
@json_option
@click.argument("phone", type=PhoneType())
def received(phone: str, control_address: Address, as_json: bool) -> None:
    """Print every message that PHONE has received."""
    with _connect(control_address, as_json) as client:
        messages = client.received(phone)
    if as_json:
        _print_json([each._asdict() for each in messages])
    else:
        for each in messages:
            click.echo(f"{each.sender}: {each.text}")


@main.command()
@control_option
@json_option
def status(control_address: Address, as_json: bool) -> None:
    """Print who is bound, what was counted, and what waits."""
    with _connect(control_address, as_json) as client:
        state = client.status()
    if as_json:
        _print_json(state)
        return
    binds = state.pop("binds")
    click.echo(f"connections: {len(binds)}")
    for bind in binds:
        click.echo(f"  {bind['system_id'] or '-'} {bind['state']} {bind['address_range'] or 'all'}")
    for section in ("counters", "faults"):
        click.echo(f"{section}:")
        for name, value in state.pop(section).items():
            click.echo(f"  {name}: {value}")
    for name, value in state.items():
        click.echo(f"{name}: {'-' if value is None else value}")


def _serve(
    smpp: Address,
    control_address: Address,
    system_id: str,
    password: str,
    limits: SmscLimits,
    throughput: int,
) -> int:
    from twisted.internet import reactor as installed  # Importing it chooses the reactor.

    reactor = cast(Any, installed)
    globalLogBeginner.beginLoggingTo(
        [cast("ILogObserver", textFileLogObserver(sys.stderr))], redirectStandardIO=False
    )
    centre = Smsc(reactor, system_id, password, limits)
    centre.set_faults({"throughput": throughput})
    failures: list[str] = []

    @inlineCallbacks
    def start() -> Generator["Deferred[Port]", Port, None]:
        try:
            port = yield centre.listen(*smpp)
            control_port = yield control.listen(reactor, centre, *control_address)
        except CannotListenError as error:
            failures.append(
                f"cannot listen on {error.interface}:{error.port}: {error.socketError.strerror};"
                " give another --listen or --control"
            )
            reactor.stop()
            return
        _say(f"listening on {_shown(port)}")
        _say(f"control on {_shown(control_port)}")

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", centre.close)
    reactor.run()
    for failure in failures:
        click.echo(f"smsd-sim: {failure}", err=True)
    return FAILED if failures else 0


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()  # Whoever started us waits for this line, perhaps through a pipe.


def _shown(port: Port) -> str:
    address = port.getHost()
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_length(option: str, value: str, characters_max: int) -> None:
    if len(value) > characters_max or not value.isascii():
        raise click.UsageError(f"{option} takes at most {characters_max} ASCII characters in SMPP.")


def _connect(address: Address, as_json: bool) -> ControlClient:
    try:
        return ControlClient(*address)
    except SimulatorUnreachable as error:
        host, port = address
        where = "" if port == CONTROL_PORT else f" --control {host}:{port}"
        _fail(f"{error}; start one with: smsd-sim smsc{where}", "unreachable", as_json)


def _refusal(error: ControlRefused) -> str:
    if error.reason != "nobody_bound":
        return str(error)
    return (
        f"{error}, so the message was not sent; start the gateway (smsd run) first,"
        " or give --queue to wait for it"
    )


def _fail(error: str, reason: str, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"ok": False, "reason": reason, "error": error})
    else:
        click.echo(f"smsd-sim: {error}", err=True)
    sys.exit(FAILED)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))
