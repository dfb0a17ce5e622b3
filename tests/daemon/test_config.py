"""The configuration: what is accepted, and what a person is told about the rest."""

import json
from pathlib import Path
from typing import get_args

import pytest

from smsd.config import ConfigError, SmscSection, load_config, read_password
from smsd.smpp.long_messages import LongMessages
from smsd.smpp.text import Alphabet

SOUND = """\
[store]
url = "sqlite:///var/x.db"

[[smsc]]
name = "simulator"
password = "secret"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text), environment)
    return caught.value.problems


def test_the_shipped_file_is_sound() -> None:
    """What `smsd run` reads by default can be used as it is."""
    config = load_config(Path(__file__).parents[2] / "config.toml", {})
    assert config.smsc[0].window == 1000
    assert config.desk.listen == "127.0.0.1:8103"


def test_defaults_fill_what_is_left_out(tmp_path: Path) -> None:
    """Only an SMSC's name and password have no default."""
    config = load_config(write(tmp_path, SOUND), {})
    assert config.store.url == "sqlite:///var/x.db"
    assert config.register_.mode == "required"
    assert config.smsc[0].bind == "transceiver"


def test_text_goes_as_most_smscs_want_it(tmp_path: Path) -> None:
    """Without a word in the file: GSM 03.38, and a UDH with a reference of 8 bits."""
    [smsc] = load_config(write(tmp_path, SOUND), {}).smsc
    assert (smsc.default_alphabet, smsc.long_messages) == ("gsm0338", "udh8")


@pytest.mark.parametrize(
    ("key", "known"), [("default_alphabet", Alphabet), ("long_messages", LongMessages)]
)
def test_every_text_setting_is_one_that_smpp_knows(
    tmp_path: Path, key: str, known: type[Alphabet] | type[LongMessages]
) -> None:
    """The file may name what the gateway can do, all of it and nothing else."""
    assert set(get_args(SmscSection.model_fields[key].annotation)) == {each.value for each in known}
    for each in known:
        config = load_config(write(tmp_path, f'{SOUND}{key} = "{each.value}"\n'), {})
        assert getattr(config.smsc[0], key) == each


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'default_alphabet = "gsm"',
            "7: smsc.0.default_alphabet: input should be"
            " 'gsm0338', 'gsm0338-packed', 'latin1' or 'ascii'; got 'gsm'",
        ),
        (
            'long_messages = "udh"',
            "7: smsc.0.long_messages: input should be"
            " 'udh8', 'udh16', 'sar' or 'payload'; got 'udh'",
        ),
    ],
)
def test_a_text_setting_that_is_none_is_told_with_all_that_are(
    tmp_path: Path, line: str, expected: str
) -> None:
    """A typing error must not end in replies that nobody can read."""
    [told] = problems(tmp_path, SOUND + line + "\n")
    assert told == f"{tmp_path / 'config.toml'}:{expected}"


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """Sections by name, list entries by number; values as text become what the key needs."""
    config = load_config(
        write(tmp_path, SOUND),
        {"SMSD_STORE__URL": "sqlite:///y.db", "SMSD_SMSC__0__WINDOW": "7", "SMSD_X": "ignored"},
    )
    assert config.store.url == "sqlite:///y.db"
    assert config.smsc[0].window == 7


def test_the_environment_can_add_an_smsc(tmp_path: Path) -> None:
    """A container needs no file but the smallest."""
    config = load_config(
        write(tmp_path, ""), {"SMSD_SMSC__0__NAME": "one", "SMSD_SMSC__0__PASSWORD": "x"}
    )
    assert config.smsc[0].name == "one"


def test_all_errors_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    """File, line, key, what is wrong and what is allowed; for the environment, its variable."""
    text = (
        '[store]\nurl = "mysql://x"\ncolour = 1\n\n'
        '[[smsc]]\nname = "a"\nport = 70000\npassword = "x"\n'
    )
    told = problems(tmp_path, text, SMSD_REGISTER__MODE="maybe")
    path = tmp_path / "config.toml"
    assert sorted(told) == sorted(
        [
            f"{path}:2: store.url: must be sqlite:///PATH, or sqlite:////PATH from /; got 'mysql://x'",
            f"{path}:3: store.colour: unknown key; allowed: url",
            f"{path}:7: smsc.0.port: input should be less than or equal to 65535; got 70000",
            "environment SMSD_REGISTER__MODE: input should be 'required' or 'off'; got 'maybe'",
        ]
    )


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    """An error about a password does not print it."""
    told = "\n".join(problems(tmp_path, '[[smsc]]\nname = "a"\npassword = 12345\n'))
    assert "password" in told
    assert "12345" not in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "missing; at least one [[smsc]] is needed"),
        ('[[smsc]]\nname = "a"\n', "give either password or password_file, and not both"),
        (SOUND + '\n[[smsc]]\nname = "simulator"\npassword = "x"\n', "have the same name"),
        ('[[smsc]]\nname = "desk"\npassword = "x"\n', 'no [[smsc]] may be called "desk"'),
        (
            '[[smsc]]\nname = "a"\npassword = "123456789"\n',
            "password has 9 characters; allowed: at most 8 ASCII",
        ),
        ("[store\n", "config.toml:1"),
        ('[desk]\nlisten = "[::1]:65536"\n' + SOUND, "the port must be 0 to 65535"),
        ('[smsc]\nname = "a"\n', "each SMSC needs a section [[smsc]], in double brackets"),
        (SOUND + "throughput = -1\n", "config.toml:7: smsc.0.throughput: input should be greater"),
        (SOUND + "throughput = 0.5\n", "throughput_min must not exceed throughput"),
        (SOUND + "temporary_statuses = [0]\n", "smsc.0.temporary_statuses.0: input should be"),
        (
            SOUND + "temporary_statuses = [0x400]\npermanent_statuses = [0x45, 0x400]\n",
            "0x400 is in the lists of statuses more than once",
        ),
        (SOUND + 'unknown_outcome = "hope"\n', "input should be 'resend' or 'give_up'"),
        (
            "[shop]\n" + SOUND,
            "unknown key; allowed: control, desk, limits, log, policy, register, smsc",
        ),
    ],
)
def test_each_kind_of_mistake_has_its_message(tmp_path: Path, text: str, expected: str) -> None:
    """Every way to be wrong is named in words."""
    assert expected in "\n".join(problems(tmp_path, text))


TWO = SOUND + '[[smsc]]\nname = "b"\npassword = "x"\n'


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('hosts = ["a:1", "b"]\n', "smsc.0.hosts.1: must be HOST:PORT, such as"),
        ('hosts = ["a:0"]\n', "the port must be 1 to 65535; got 'a:0'"),
        ('hosts = ["a:1"]\nport = 2\n', "give either hosts, or host and port"),
        ("hosts = 7\n", "smsc.0.hosts: input should be a valid"),
        ("binds = 0\n", "smsc.0.binds: input should be greater than or equal to 1; got 0"),
        ('interface_version = "3.5"\n', "'3.3', '3.4' or '5.0'; got '3.5'"),
        ('system_type = "ÜSSD"\n', "smsc.0.system_type: must be at most 12 ASCII characters"),
        (f'address_range = "{"1" * 41}"\n', "must be at most 40 ASCII characters"),
        ("inactivity_s = -1\n", "smsc.0.inactivity_s: input should be greater than or equal to 0"),
        ('[smsc.tls]\nca = "x"\n', "smsc.0.tls.ca: unknown key; allowed: ca_file, certificate"),
        ('[smsc.tls]\nkey_file = "x"\n', "key_file is of no use without certificate_file"),
        ('[smsc.tls]\nserver_name = "a:1"\n', "must be a host name or an IP address, without"),
        ('[smsc.tls]\nversion_min = "1.1"\n', "'1.2' or '1.3'; got '1.1'"),
        ('failover = "b"\n', "failover 'b' is no [[smsc]]; allowed: none, since there is no other"),
        ('failover = "simulator"\n', "failover goes in a circle: simulator → simulator"),
    ],
)
def test_each_mistake_about_an_smsc_has_its_message(
    tmp_path: Path, more: str, expected: str
) -> None:
    """Hosts, binds, what a bind says, TLS and failover."""
    assert expected in "\n".join(problems(tmp_path, SOUND + more))


def test_a_circle_of_failovers_is_named_whole(tmp_path: Path) -> None:
    """A chain may have any length, and ends."""
    chain = TWO + 'failover = "c"\n[[smsc]]\nname = "c"\npassword = "x"\n'
    assert load_config(write(tmp_path, chain), {}).smsc[1].failover == "c"
    [told] = problems(tmp_path, chain + 'failover = "b"\n')
    assert "failover goes in a circle: b → c → b; leave one of them out" in told


def test_hosts_are_addresses_in_their_order(tmp_path: Path) -> None:
    """host and port, or hosts; IPv6 in brackets; in the environment with commas."""
    text = write(tmp_path, SOUND + 'hosts = ["a.example:1", "[::1]:2"]\n')
    assert load_config(text, {}).smsc[0].addresses == (("a.example", 1), ("::1", 2))
    environment = {"SMSD_SMSC__0__HOSTS": "c:3,d:4"}
    assert load_config(text, environment).smsc[0].addresses == (("c", 3), ("d", 4))
    assert load_config(write(tmp_path, SOUND), {}).smsc[0].addresses == (("127.0.0.1", 2775),)


def test_tls_can_be_switched_by_the_environment(tmp_path: Path) -> None:
    """A section within a list entry."""
    text = write(tmp_path, SOUND + '[smsc.tls]\nserver_name = "a.example"\n')
    tls = load_config(text, {"SMSD_SMSC__0__TLS__ENABLED": "false"}).smsc[0].tls
    assert tls is not None
    assert (tls.enabled, tls.server_name) == (False, "a.example")
    tls = load_config(write(tmp_path, SOUND), {"SMSD_SMSC__0__TLS__ENABLED": "true"}).smsc[0].tls
    assert tls is not None


@pytest.mark.parametrize("password", ["123456789", "şifrə", "tab\t"])
def test_a_password_that_smpp_cannot_carry_is_told_and_not_shown(
    tmp_path: Path, password: str
) -> None:
    """Eight octets of ASCII, in the file or beside it."""
    [told] = problems(tmp_path, f'[[smsc]]\nname = "a"\npassword = {json.dumps(password)}\n')
    assert "SMPP 3.4 §4.1.1 has room for 9 octets, the closing NUL included" in told
    assert password not in told
    eight = f'[[smsc]]\nname = "a"\npassword = "{"x" * 8}"\n'
    assert read_password(load_config(write(tmp_path, eight), {}).smsc[0]) == "x" * 8


def test_the_control_socket_lies_beside_the_store(tmp_path: Path) -> None:
    """Unless another place is named."""
    assert load_config(write(tmp_path, SOUND), {}).control_socket == Path("var/x.db.sock")
    text = write(tmp_path, '[control]\nsocket = "/run/smsd/s"\n' + SOUND)
    assert load_config(text, {}).control_socket == Path("/run/smsd/s")


def test_how_an_smsc_is_sent_to_is_read_as_written(tmp_path: Path) -> None:
    """Rates, whole or not, and vendors' statuses as their manuals write them."""
    text = SOUND + (
        "throughput = 30\nthroughput_min = 0.5\nthroughput_recovery_per_s = 2\n"
        "temporary_statuses = [0x400, 0x4FF]\n"
    )
    [smsc] = load_config(write(tmp_path, text), {}).smsc
    assert (smsc.throughput, smsc.throughput_min, smsc.throughput_recovery_per_s) == (30, 0.5, 2)
    assert smsc.temporary_statuses == (0x400, 0x4FF)
    assert smsc.unknown_outcome == "resend"


def test_an_environment_variable_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """A misspelt override must not be ignored in silence."""
    told = problems(tmp_path, SOUND, SMSD_SMSC__5__PORT="1", SMSD_STOER__URL="x")
    assert any("SMSD_SMSC__5__PORT: no such place" in line for line in told)
    assert any("SMSD_STOER__URL" in line or "stoer" in line for line in told)


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    """The first mistake of a newcomer."""
    with pytest.raises(ConfigError, match="name another with --config FILE"):
        load_config(tmp_path / "none.toml", {})


def test_a_password_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    """Secrets by file; editors end files with a newline."""
    secret = tmp_path / "password"
    secret.write_text("geheim\n")
    text = f'[[smsc]]\nname = "a"\npassword_file = "{secret}"\n'
    assert read_password(load_config(write(tmp_path, text), {}).smsc[0]) == "geheim"
    secret.write_text("far too long\n")
    with pytest.raises(ConfigError, match="has 12 characters; allowed: at most 8"):
        read_password(load_config(write(tmp_path, text), {}).smsc[0])
