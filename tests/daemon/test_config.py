"""The configuration: what is accepted, and what a person is told about the rest."""

from pathlib import Path

import pytest

from smsd.config import ConfigError, load_config, read_password

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
        ('[[smsc]]\nname = "a"\npassword = "123456789"\n', "password has over 8 characters"),
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
        ("[shop]\n" + SOUND, "unknown key; allowed: desk, limits, log, policy, register, smsc"),
    ],
)
def test_each_kind_of_mistake_has_its_message(tmp_path: Path, text: str, expected: str) -> None:
    """Every way to be wrong is named in words."""
    assert expected in "\n".join(problems(tmp_path, text))


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
    with pytest.raises(ConfigError, match="over 8 characters"):
        read_password(load_config(write(tmp_path, text), {}).smsc[0])
