"""config.toml and the environment → one frozen `Config`; every default and limit, once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from rules.toml_lines import TomlError, load_toml
from smsd.config_desk import DeskSection, OidcSection
from smsd.config_environment import lay_environment_over
from smsd.config_faults import explain
from smsd.config_values import HOST_PORT, PORT_MAX, Count, Seconds, Section, with_port
from storage.records import DESK

# SMPP 3.4 §4.1: system_id is a C-Octet string of at most 16 octets, its NUL included;
# password 9; address_range 41; source_addr 21.
_SystemId = Annotated[
    str, Field(pattern=r"^[\x21-\x7e]{1,15}$", description="1 to 15 ASCII characters, no spaces")
]
_PASSWORD_OCTETS_MAX = 8
_PASSWORD_RULE = (
    f"at most {_PASSWORD_OCTETS_MAX} ASCII characters, for SMPP 3.4 §4.1.1 has room for"
    f" {_PASSWORD_OCTETS_MAX + 1} octets, the closing NUL included"
)

_Status = Annotated[int, Field(ge=1, le=0xFFFF_FFFF)]  # SMPP 3.4 §5.1.3; 0 is success


class PolicySection(Section):
    """[policy]: where the law stands."""

    file: Path = Path("rules/policies/8103.toml")


class StoreSection(Section):
    """[store]: where messages, decisions and replies are kept."""

    url: Annotated[
        str,
        Field(pattern=r"^sqlite:///.+", description="sqlite:///PATH, or sqlite:////PATH from /"),
    ] = "sqlite:///var/smsd.db"


class RegisterSection(Section):
    """[register]: whether a population register is asked, and where it lies."""

    mode: Literal["required", "off"] = "required"
    file: Path = Path("var/register.db")


class ControlSection(Section):
    """[control]: where `smsd smsc …` reaches the running daemon."""

    # A Unix socket that only the daemon's user may open; by default beside the store's file.
    socket: Path | None = None


class TlsSection(Section):
    """[smsc.tls], within an [[smsc]]: encrypted, its SMSC and perhaps we proved by certificates.

    Every connection reads the files afresh, so new certificates need no restart.
    """

    enabled: bool = True
    # The name that the SMSC's certificate must bear, sent ahead as SNI; else the host's.
    server_name: Annotated[
        str | None,
        Field(
            pattern=r"^([A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+$|^[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*$",
            description="a host name or an IP address, without a port",
        ),
    ] = None
    ca_file: Path | None = None  # PEM, who may vouch for the SMSC; else the system's authorities
    certificate_file: Path | None = None  # PEM, ours, then those that lead to the SMSC's authority
    key_file: Path | None = None  # PEM, without a passphrase; else within certificate_file
    version_min: Literal["1.2", "1.3"] = "1.2"

    @model_validator(mode="after")
    def _key_has_certificate(self) -> Self:
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("key_file is of no use without certificate_file")
        return self


class SmscSection(Section):
    """[[smsc]]: one operator's message centre and our account there."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$",
            description="1 to 32 letters, digits, dots, dashes, underscores",
        ),
    ]
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=PORT_MAX)] = 2775
    # Instead of host and port: tried in turn, from the first on, until one lets us bind.
    hosts: Annotated[
        tuple[Annotated[str, Field(pattern=HOST_PORT)], ...],
        Field(max_length=16, description="HOST:PORT, such as smsc-1.example:2775 or [::1]:2775"),
    ] = ()
    tls: TlsSection | None = None
    system_id: _SystemId = "smsd"
    password: SecretStr | None = None
    password_file: Path | None = None
    system_type: Annotated[
        str, Field(pattern=r"^[\x20-\x7e]{0,12}$", description="at most 12 ASCII characters")
    ] = ""
    # What we say that we speak; what the SMSC says that it speaks is not held against it.
    interface_version: Literal["3.3", "3.4", "5.0"] = "3.4"
    # Which SMS the SMSC is to hand over by this bind, where it asks for that (§5.2.7).
    address_range: Annotated[
        str, Field(pattern=r"^[\x20-\x7e]{0,40}$", description="at most 40 ASCII characters")
    ] = ""
    address_range_ton: Annotated[int, Field(ge=0, le=6)] = 0
    address_range_npi: Annotated[int, Field(ge=0, le=18)] = 0
    bind: Literal["transceiver", "transmitter+receiver"] = "transceiver"
    binds: Annotated[int, Field(ge=1, le=32)] = 1  # of each kind that `bind` names
    address: Annotated[
        str, Field(pattern=r"^[0-9]{1,20}$", description="1 to 20 digits, as text in quotes")
    ] = "8103"
    source_ton: Annotated[int, Field(ge=0, le=6)] = 0
    source_npi: Annotated[int, Field(ge=0, le=18)] = 1
    destination_ton: Annotated[int, Field(ge=0, le=6)] = 1
    destination_npi: Annotated[int, Field(ge=0, le=18)] = 1
    # What data_coding 0 means there, in requests and replies; any other text goes as UCS-2.
    default_alphabet: Literal["gsm0338", "gsm0338-packed", "latin1", "ascii"] = "gsm0338"
    # How a reply of several SMS is joined: a UDH with a reference of 8 or 16 bits, SAR TLVs, or
    # message_payload, which the SMSC cuts.
    long_messages: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    reference_phones_max: Count = 20_000  # whose last long reply is remembered, 0.1 KB each
    window: Annotated[int, Field(ge=1, le=100_000)] = 1_000  # of each bind
    receipts: bool = False  # ask for a delivery receipt of each reply (SMPP 3.4 §5.2.17)
    # How receipts name a message, after how submit_sm_resp did: smsd/smpp/message_ids.py.
    message_id_form: Literal["as_is", "hex", "decimal", "hex_to_decimal", "decimal_to_hex"] = (
        "as_is"
    )
    connect_timeout_s: Seconds = 10.0
    bind_timeout_s: Seconds = 10.0  # from the connection to bind_resp, TLS's greetings included
    response_timeout_s: Seconds = 30.0
    enquire_link_s: Seconds = 30.0  # of silence; then we ask
    # Nothing but enquire_link for so long: hang up and bind again (SMPP 3.4 §7.2). 0: never.
    inactivity_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    pdu_rest_timeout_s: Seconds = 10.0  # for the rest of a PDU of which a part came
    # After a lost link or a round of failed hosts: doubled each time, from the one to the other.
    reconnect_delay_min_s: Seconds = 1.0
    reconnect_delay_max_s: Seconds = 60.0
    # At least so long after ESME_RINVPASWD, ESME_RINVSYSID, ESME_RBINDFAIL: to ask again soon
    # gets an account locked; and after ESME_RALYBND, until the SMSC forgets our last session.
    reconnect_refused_delay_s: Seconds = 60.0
    reconnect_already_bound_delay_s: Seconds = 10.0
    retry_delay_s: Seconds = 5.0  # after a temporary error
    # While it takes replies and answers none: doubled from retry_delay_s up to this.
    unanswered_delay_max_s: Seconds = 600.0
    # Messages a second over all binds, each segment one; 0: no limit. After congestion the rate
    # halves, not below the least one, and rises again by so much each second (0: within a minute).
    throughput: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    throughput_min: Annotated[float, Field(ge=0.1, le=100_000)] = 1.0
    throughput_recovery_per_s: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    throughput_burst_s: Annotated[float, Field(ge=0, le=1)] = 0.02  # what is due in it may leave
    # What this SMSC means by a status where it differs from smsd/smpp/statuses.py; vendors' own
    # are 0x400 to 0x4ff.
    temporary_statuses: tuple[_Status, ...] = ()
    congestion_statuses: tuple[_Status, ...] = ()
    permanent_statuses: tuple[_Status, ...] = ()
    # When no answer came to a reply, it may have arrived: send it again, or make it a dead letter.
    unknown_outcome: Literal["resend", "give_up"] = "resend"
    # The [[smsc]] through which replies leave, after its own, while this one has no bind that may
    # transmit; with addresses and window of that one, and on to its own failover if need be.
    failover: str | None = None
    failover_after_s: Seconds = 60.0  # without such a bind

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where to connect, as (host, port), in the order of preference."""
        split = (each.rpartition(":") for each in self.hosts)
        several = tuple((host.strip("[]"), int(port)) for host, _, port in split)
        return several or ((self.host, self.port),)

    @field_validator("hosts", mode="before")
    @classmethod
    def _listed(cls, hosts: object) -> object:
        """In the environment, which knows no lists: HOST:PORT,HOST:PORT."""
        return hosts.split(",") if isinstance(hosts, str) else hosts

    @field_validator("hosts")
    @classmethod
    def _ports_exist(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(with_port(host, lowest=1) for host in hosts)

    @model_validator(mode="after")
    def _sending_makes_sense(self) -> Self:
        if 0 < self.throughput < self.throughput_min:
            raise ValueError("throughput_min must not exceed throughput")
        named = (*self.temporary_statuses, *self.congestion_statuses, *self.permanent_statuses)
        if twice := [f"0x{status:x}" for status in sorted(set(named)) if named.count(status) > 1]:
            raise ValueError(f"{', '.join(twice)} is in the lists of statuses more than once")
        return self

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> Self:
        if self.hosts and self.model_fields_set & {"host", "port"}:
            raise ValueError("give either hosts, or host and port")
        return self

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if (self.password is None) == (self.password_file is None):
            raise ValueError("give either password or password_file, and not both")
        if self.reconnect_delay_min_s > self.reconnect_delay_max_s:
            raise ValueError("reconnect_delay_min_s must not exceed reconnect_delay_max_s")
        if self.password and (wrong := _unfit(self.password.get_secret_value())):
            raise ValueError(f"password {wrong}")
        return self


class LimitsSection(Section):
    """[limits]: every bound of the daemon."""

    pdu_bytes_max: Annotated[int, Field(ge=1_024, le=16_777_216)] = 65_536
    batch_messages_max: Count = 2_000
    intake_messages_max: Count = 20_000  # taken in and not yet committed; more stay with the SMSC
    # Replies of one SMSC held in memory, and as many urgent ones; the rest wait on disk.
    outbox_memory_max: Count = 20_000
    # From the last part of a long SMS to the answer that the others are missing.
    incomplete_sms_s: Annotated[float, Field(gt=0, le=600)] = 120.0
    # Receipts that come before the response to their submit_sm: so long, and so many of them.
    early_receipt_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    early_receipts_max: Count = 10_000
    sweep_s: Annotated[float, Field(gt=0, le=60)] = 2.0  # how often these bounds are looked at
    shutdown_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    store_retry_s: Seconds = 1.0  # pause after the store could not be written


class LogSection(Section):
    """[log]: how much is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    # How often the audit's newest hash is written there, so that a cut end of it can be proved.
    audit_head_s: Seconds = 3_600.0


class Config(Section):
    """The whole configuration, validated."""

    policy: PolicySection = PolicySection()
    store: StoreSection = StoreSection()
    register_: Annotated[RegisterSection, Field(alias="register")] = RegisterSection()
    desk: DeskSection = DeskSection()
    control: ControlSection = ControlSection()
    log: LogSection = LogSection()
    limits: LimitsSection = LimitsSection()
    smsc: tuple[SmscSection, ...]

    @property
    def control_socket(self) -> Path:
        """Where the running daemon listens to `smsd smsc …`."""
        return self.control.socket or Path(f"{self.store.url.removeprefix('sqlite:///')}.sock")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if not self.smsc:
            raise ValueError("at least one [[smsc]] is needed")
        names = [smsc.name for smsc in self.smsc]
        if len(set(names)) < len(names):
            raise ValueError("two [[smsc]] have the same name; each needs a name of its own")
        if DESK in names:
            raise ValueError(f'no [[smsc]] may be called "{DESK}": the call centre asks under it')
        return self

    @model_validator(mode="after")
    def _failover_ends(self) -> Self:
        """A chain of failovers is lawful; one that comes back to where it began is not."""
        follows = {smsc.name: smsc.failover for smsc in self.smsc}
        for smsc in self.smsc:
            path = [smsc.name]
            while (following := follows[path[-1]]) is not None:
                if following not in follows:
                    names = ", ".join(name for name in follows if name != path[-1])
                    raise ValueError(
                        f"smsc {path[-1]!r}: failover {following!r} is no [[smsc]];"
                        f" allowed: {names or 'none, since there is no other'}"
                    )
                path.append(following)
                if following in path[:-1]:
                    raise ValueError(
                        f"failover goes in a circle: {' → '.join(path)}; leave one of them out"
                    )
        return self


class ConfigError(Exception):
    """The configuration cannot be used. `problems` are lines for a person, all at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_config(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read `path`, lay the environment's `SMSD_SECTION__KEY` over it, and validate.

    List entries are numbered from 0: `SMSD_SMSC__0__PASSWORD`.

    Raises:
        ConfigError: naming file, line, key, what is wrong and what is allowed.
    """
    try:
        data, lines = load_toml(path.read_text(encoding="utf-8"), str(path))
    except TomlError as fault:
        raise ConfigError([str(fault)]) from fault
    except UnicodeDecodeError as fault:
        raise ConfigError([f"{path}: is not UTF-8 text"]) from fault
    except OSError as fault:
        raise ConfigError(
            [f"{path}: cannot be read ({fault.strerror}); name another with --config FILE"]
        ) from fault
    overridden, problems = lay_environment_over(data, environment)
    try:
        config = Config.model_validate(data)
    except ValidationError as fault:
        problems += [explain(error, Config, path, lines, overridden) for error in fault.errors()]
    if problems:
        raise ConfigError(problems)
    return config


def read_password(smsc: SmscSection) -> str:
    """The password of an SMSC account, from the file if one is named.

    Raises:
        ConfigError: the file cannot be read or holds what SMPP cannot carry.
    """
    if smsc.password is not None:
        return smsc.password.get_secret_value()
    assert smsc.password_file is not None
    where = f"smsc {smsc.name!r}, password_file {smsc.password_file}"
    try:
        password = smsc.password_file.read_text(encoding="ascii").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError([f"{where}: cannot be read as ASCII text ({fault})"]) from fault
    if wrong := _unfit(password):
        raise ConfigError([f"{where}: {wrong}"])
    return password


def read_client_secret(oidc: OidcSection) -> str | None:
    """With what we prove to the OpenID provider who we are; None: with nothing but PKCE.

    Raises:
        ConfigError: the file cannot be read, or is empty.
    """
    if oidc.client_secret_file is None:
        return None
    where = f"desk.oidc, client_secret_file {oidc.client_secret_file}"
    try:
        secret = oidc.client_secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError([f"{where}: cannot be read as text ({fault})"]) from fault
    if not secret:
        raise ConfigError([f"{where}: is empty; put the client's secret there"])
    return secret


def _unfit(password: str) -> str:
    """Why SMPP cannot carry a password, without a word of it; empty when it can."""
    if len(password) > _PASSWORD_OCTETS_MAX:
        return f"has {len(password)} characters; allowed: {_PASSWORD_RULE}"
    if not password.isascii() or not password.isprintable():
        return f"has characters other than printable ASCII; allowed: {_PASSWORD_RULE}"
    return ""
