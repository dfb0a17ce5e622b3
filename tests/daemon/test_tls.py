"""TLS to an SMSC, between real processes: Python's own ssl on its side, and real certificates."""

import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from certificates import Authority
from click.testing import CliRunner
from daemon_process import WAIT_S, Daemon, fetch, metric, smsc_section, write_config
from scripted_smsc import Peer, ScriptedSmsc
from test_main_job import PHONE

from smsd.cli import main
from smsd.smpp.pdu import DeliverSmResp, SubmitSm, SubmitSmResp, Unbind, UnbindResp

NAME = "smsc.example"
EXPIRED = timedelta(seconds=-1)
EXPIRY = "smsd_tls_certificate_expiry_timestamp_seconds"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The one that vouches for the SMSC and for us."""
    return Authority(tmp_path)


def config(folder: Path, smsc: ScriptedSmsc, authority: Authority, more: str = "") -> Path:
    """A configuration with [smsc.tls], for the SMSC at 127.0.0.1 that calls itself NAME."""
    tls = f'[smsc.tls]\nserver_name = "{NAME}"\nca_file = "{authority.file}"\n{more}\n'
    return write_config(folder, [smsc_section(smsc.port, more=tls)])


def converse(peer: Peer) -> None:
    """One SMS in, its reply out."""
    peer.text("2 AZE 1111111", 1)
    peer.read(DeliverSmResp)
    submitted = peer.read(SubmitSm)
    peer.send(SubmitSmResp("id"), submitted.sequence)


def await_refusals(smsc: ScriptedSmsc, times: int) -> None:
    """So many connections that end within the greetings, before any octet of SMPP."""
    for _ in range(times):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            smsc.accept_bind()


def test_it_binds_by_tls_and_tells_when_certificates_end(
    tmp_path: Path, authority: Authority
) -> None:
    """SNI, both certificates, SMS in and replies out, a gauge for each certificate, a good end."""
    server, server_ends = authority.issue("server.pem")
    client, client_ends = authority.issue("client.pem", "smsd.example", timedelta(days=5))
    context = authority.server(server, asks_for_ours=True)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with (
        ScriptedSmsc(context) as smsc,
        Daemon(config(tmp_path, smsc, authority, f'certificate_file = "{client}"')) as daemon,
    ):
        address = daemon.wait_for("started")["desk"]
        peer = smsc.accept_bind()
        converse(peer)
        assert asked == [NAME]
        assert ends(address, "server") == server_ends
        assert ends(address, "client") == client_ends
        page = fetch(address, "smsc?lang=en")[1]
        for certificate in ("Our certificate", "Its certificate"):
            assert certificate in page
        daemon.process.terminate()
        peer.send(UnbindResp(), peer.read(Unbind).sequence)
        assert daemon.wait() == 0


def ends(address: str, which: str) -> datetime:
    """What /metrics says of a certificate."""
    from datetime import UTC

    return datetime.fromtimestamp(
        metric(address, EXPIRY, {"smsc": "simulator", "which": which}), UTC
    )


def test_an_address_can_be_what_the_certificate_names(tmp_path: Path, authority: Authority) -> None:
    """Without server_name the host must be the certificate's; here an IP address."""
    server, _ = authority.issue("server.pem", "127.0.0.1")
    with ScriptedSmsc(authority.server(server)) as smsc:
        tls = f'[smsc.tls]\nca_file = "{authority.file}"\n'
        with Daemon(write_config(tmp_path, [smsc_section(smsc.port, more=tls)])):
            converse(smsc.accept_bind())


@pytest.mark.parametrize(
    ("issue", "reason"),
    [
        (lambda own, _: own.issue("s.pem", "other.example"), "does not bear the name smsc.example"),
        (lambda own, _: own.issue("s.pem", "127.0.0.1"), "does not bear the name smsc.example"),
        (lambda own, _: own.issue("s.pem", ends=EXPIRED), "its certificate has expired"),
        (lambda _, other: other.issue("s.pem"), "an authority that is not trusted"),
    ],
    ids=["another name", "an address", "expired", "another authority"],
)
def test_a_wrong_server_gets_no_password_and_is_told_once(
    tmp_path: Path,
    authority: Authority,
    issue: Callable[[Authority, Authority], tuple[Path, object]],
    reason: str,
) -> None:
    """The greetings end, it is tried again and again, and the log says why in one line."""
    server, _ = issue(authority, Authority(tmp_path, "stranger"))
    with (
        ScriptedSmsc(authority.server(server)) as smsc,
        Daemon(config(tmp_path, smsc, authority)) as daemon,
    ):
        await_refusals(smsc, 3)
        assert reason in daemon.wait_for("bind_failed")["reason"]
        # It is the certificate that was wrong: with the right one all is well.
        smsc.tls = authority.server(authority.issue("good.pem")[0])
        converse(bound(smsc))
        daemon.wait_for("bound")
    assert daemon.log.count('"bind_failed"') == 1


def bound(smsc: ScriptedSmsc) -> Peer:
    """The first connection that comes to terms; one may have been under way before."""
    while True:
        try:
            return smsc.accept_bind()
        except (ssl.SSLError, ConnectionError):
            continue


def test_the_expiry_of_an_expired_server_is_seen(tmp_path: Path, authority: Authority) -> None:
    """An alert on the gauge works although nothing was bound."""
    server, server_ends = authority.issue("server.pem", ends=EXPIRED)
    with (
        ScriptedSmsc(authority.server(server)) as smsc,
        Daemon(config(tmp_path, smsc, authority)) as daemon,
    ):
        address = daemon.wait_for("started")["desk"]
        await_refusals(smsc, 1)
        daemon.wait_for("bind_failed")
        assert ends(address, "server") == server_ends


def test_a_certificate_of_ours_that_is_asked_for_and_missing_is_named(
    tmp_path: Path, authority: Authority
) -> None:
    """The SMSC's alert, in words."""
    server, _ = authority.issue("server.pem")
    with (
        ScriptedSmsc(authority.server(server, asks_for_ours=True)) as smsc,
        Daemon(config(tmp_path, smsc, authority)) as daemon,
    ):
        await_refusals(smsc, 2)
        assert "certificate required" in daemon.wait_for("bind_failed")["reason"]


def with_the_key_of(other: Path, file: Path) -> None:
    """Mix two files up."""
    start = b"-----BEGIN PRIVATE"
    certificate, _, _ = file.read_bytes().partition(start)
    _, _, key = other.read_bytes().partition(start)
    file.write_bytes(certificate + start + key)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda own, file: own.issue(file.name, ends=EXPIRED), "expired on "),
        (lambda _, file: file.unlink(), "cannot be read (No such file or directory)"),
        (lambda _, file: file.write_text("nonsense"), "holds no certificate in PEM"),
        (
            lambda _, file: file.write_bytes(file.read_bytes().partition(b"-----BEGIN P")[0]),
            "holds no key in PEM",
        ),
        (lambda own, file: own.issue(file.name, passphrase=b"x"), "one with a passphrase"),
        (lambda own, file: with_the_key_of(own.issue("other.pem")[0], file), "or not that of"),
    ],
    ids=["expired", "missing", "no certificate", "no key", "passphrase", "another's key"],
)
def test_files_are_read_at_each_connect(
    tmp_path: Path,
    authority: Authority,
    spoil: Callable[[Authority, Path], object],
    reason: str,
) -> None:
    """What is wrong with ours is one line and a retry; as soon as it is right again we bind."""
    server, _ = authority.issue("server.pem")
    client, _ = authority.issue("client.pem")
    spoil(authority, client)
    with (
        ScriptedSmsc(authority.server(server, asks_for_ours=True)) as smsc,
        Daemon(config(tmp_path, smsc, authority, f'certificate_file = "{client}"')) as daemon,
    ):
        told = daemon.wait_for("bind_failed")["reason"]
        assert f"tls.certificate_file {client}" in told or f"tls.key_file {client}" in told
        assert reason in told
        authority.issue("client.pem")
        converse(smsc.accept_bind())
        daemon.wait_for("bound")
    assert daemon.log.count('"bind_failed"') == 1
    assert "Traceback" not in daemon.log


def test_a_new_certificate_is_shown_by_the_next_connection(
    tmp_path: Path, authority: Authority
) -> None:
    """No restart: `smsd smsc reconnect` when it should be now."""
    server, _ = authority.issue("server.pem")
    client, _ = authority.issue("client.pem")
    with ScriptedSmsc(authority.server(server, asks_for_ours=True)) as smsc:
        file = config(tmp_path, smsc, authority, f'certificate_file = "{client}"')
        with Daemon(file) as daemon:
            peer = smsc.accept_bind()
            daemon.wait_for("bound")
            before = peer.certificate()
            authority.issue("client.pem")
            asked = smsc_command("reconnect", "simulator", "--config", str(file))
            peer.send(UnbindResp(), peer.read(Unbind).sequence)
            peer.close()
            after = smsc.accept_bind().certificate()
            assert asked.wait(WAIT_S) == 0
    assert None not in (before, after)
    assert before != after


def smsc_command(*arguments: str) -> "subprocess.Popen[bytes]":
    """`smsd smsc …`, not waited for."""
    command = [sys.executable, "-m", "smsd", "smsc", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def test_the_way_to_the_authority_is_shown_too(tmp_path: Path, authority: Authority) -> None:
    """Ours comes from an authority that the SMSC knows only by the one above it."""
    server, _ = authority.issue("server.pem")
    between = Authority(tmp_path, "between", authority)
    client, _ = between.issue("client.pem")
    client.write_bytes(client.read_bytes() + between.file.read_bytes())
    with (
        ScriptedSmsc(authority.server(server, asks_for_ours=True)) as smsc,
        Daemon(config(tmp_path, smsc, authority, f'certificate_file = "{client}"')),
    ):
        converse(smsc.accept_bind())


def test_an_smsc_without_tls_is_told(tmp_path: Path, authority: Authority) -> None:
    """It answers our greetings with something else."""
    with ScriptedSmsc() as smsc, Daemon(config(tmp_path, smsc, authority)) as daemon:
        smsc.accept().send_octets(
            b"\x00\x00\x00\x10\x80\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"
        )
        assert daemon.wait_for("bind_failed")["reason"].startswith("TLS: ")


def test_an_smsc_that_does_not_greet_is_left_in_time(tmp_path: Path, authority: Authority) -> None:
    """A silent peer holds us up no longer than bind_timeout_s."""
    with (
        ScriptedSmsc() as smsc,
        Daemon(_impatient(config(tmp_path, smsc, authority))) as daemon,
    ):
        smsc.accept()
        assert daemon.wait_for("bind_failed")["reason"] == "not bound in time"


def _impatient(file: Path) -> Path:
    file.write_text(file.read_text().replace("[smsc.tls]", "bind_timeout_s = 0.2\n[smsc.tls]"))
    return file


def test_an_old_version_is_refused(tmp_path: Path, authority: Authority) -> None:
    """version_min holds: an SMSC with TLS 1.2 alone is none for whoever wants 1.3."""
    server, _ = authority.issue("server.pem")
    context = authority.server(server)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        ScriptedSmsc(context) as smsc,
        Daemon(config(tmp_path, smsc, authority, 'version_min = "1.3"')) as daemon,
    ):
        await_refusals(smsc, 1)
        assert "protocol version" in daemon.wait_for("bind_failed")["reason"]


def test_many_sms_at_once_pass_through_tls(tmp_path: Path, authority: Authority) -> None:
    """More than a TLS record and more than the sockets' buffers hold, both ways."""
    server, _ = authority.issue("server.pem")
    with (
        ScriptedSmsc(authority.server(server)) as smsc,
        Daemon(config(tmp_path, smsc, authority)) as daemon,
    ):
        peer = smsc.accept_bind()
        for number in range(1, 901):
            peer.text(f"1 AZE {1_000_000 + number}", number, str(int(PHONE) + number))
        kinds = [type(peer.read().body) for _ in range(1_800)]
        assert kinds.count(SubmitSm) == kinds.count(DeliverSmResp) == 900
        daemon.process.terminate()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda own, file: own.issue(file.name, ends=EXPIRED), "tls.certificate_file {0}: expired"),
        (lambda own, _: own.file.unlink(), "tls.ca_file {1}: cannot be read (No such file"),
        (lambda own, _: own.file.write_text("x"), "tls.ca_file {1}: holds no certificates in PEM"),
        (lambda *_: None, ""),
    ],
    ids=["ours expired", "no authority", "a bad authority", "all good"],
)
def test_check_config_reads_the_certificates(
    tmp_path: Path,
    authority: Authority,
    spoil: Callable[[Authority, Path], object],
    reason: str,
) -> None:
    """What would keep us from binding is told before the daemon is started."""
    client, _ = authority.issue("client.pem")
    spoil(authority, client)
    with ScriptedSmsc() as smsc:
        file = config(tmp_path, smsc, authority, f'certificate_file = "{client}"')
    result = CliRunner().invoke(main, ["check-config", "--config", str(file)])
    assert result.exit_code == (78 if reason else 0)
    assert reason.format(client, authority.file) in result.output
