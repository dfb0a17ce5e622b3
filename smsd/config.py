"""config.toml and the environment → one frozen `Config`; every default and limit, once."""

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from rules.toml_lines import Path as TomlPath
from rules.toml_lines import TomlError, line_of, load_toml

ENVIRONMENT_PREFIX = "SMSD_"
# SMPP 3.4 §4.1: system_id is a C-Octet string of at most 16 octets, its NUL included;
# password 9; address_range 41; source_addr 21.
_SystemId = Annotated[
    str, Field(pattern=r"^[\x21-\x7e]{1,15}$", description="1 to 15 ASCII characters, no spaces")
]
_PASSWORD_OCTETS_MAX = 8

_PORT_MAX = 65_535

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class PolicySection(_Section):
    """[policy]: where the law stands."""

    file: Path = Path("rules/policies/8103.toml")


class StoreSection(_Section):
    """[store]: where messages, decisions and replies are kept."""

    url: Annotated[
        str,
        Field(pattern=r"^sqlite:///.+", description="sqlite:///PATH, or sqlite:////PATH from /"),
    ] = "sqlite:///var/smsd.db"


class RegisterSection(_Section):
    """[register]: whether a population register is asked, and where it lies."""

    mode: Literal["required", "off"] = "required"
    file: Path = Path("var/register.db")


class DeskSection(_Section):
    """[desk]: the address of /metrics, /livez and /readyz."""

    listen: Annotated[
        str,
        Field(
            pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}$",
            description="HOST:PORT, for example 127.0.0.1:8103 or [::1]:8103",
        ),
    ] = "127.0.0.1:8103"

    @field_validator("listen")
    @classmethod
    def _port_exists(cls, listen: str) -> str:
        if int(listen.rpartition(":")[2]) > _PORT_MAX:
            raise ValueError(f"the port must be 0 to {_PORT_MAX}; got {listen!r}")
        return listen


class SmscSection(_Section):
    """[[smsc]]: one operator's message centre and our account there."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$",
            description="1 to 32 letters, digits, dots, dashes, underscores",
        ),
    ]
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 2775
    system_id: _SystemId = "smsd"
    password: SecretStr | None = None
    password_file: Path | None = None
    system_type: Annotated[str, Field(max_length=12)] = ""
    bind: Literal["transceiver", "transmitter+receiver"] = "transceiver"
    address: Annotated[
        str, Field(pattern=r"^[0-9]{1,20}$", description="1 to 20 digits, as text in quotes")
    ] = "8103"
    source_ton: Annotated[int, Field(ge=0, le=6)] = 0
    source_npi: Annotated[int, Field(ge=0, le=18)] = 1
    destination_ton: Annotated[int, Field(ge=0, le=6)] = 1
    destination_npi: Annotated[int, Field(ge=0, le=18)] = 1
    window: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    receipts: bool = False  # ask for a delivery receipt of each reply (SMPP 3.4 §5.2.17)
    # How receipts name a message, after how submit_sm_resp did: smsd/smpp/message_ids.py.
    message_id_form: Literal["as_is", "hex", "decimal", "hex_to_decimal", "decimal_to_hex"] = (
        "as_is"
    )
    bind_timeout_s: Seconds = 10.0
    response_timeout_s: Seconds = 30.0
    enquire_link_s: Seconds = 30.0
    connect_timeout_s: Seconds = 10.0
    reconnect_delay_min_s: Seconds = 1.0
    reconnect_delay_max_s: Seconds = 60.0
    retry_delay_s: Seconds = 5.0

    @model_validator(mode="after")
    def _one_password(self) -> "SmscSection":
        if (self.password is None) == (self.password_file is None):
            raise ValueError("give either password or password_file, and not both")
        if self.reconnect_delay_min_s > self.reconnect_delay_max_s:
            raise ValueError("reconnect_delay_min_s must not exceed reconnect_delay_max_s")
        if self.password and len(self.password.get_secret_value()) > _PASSWORD_OCTETS_MAX:
            raise ValueError(f"password has over {_PASSWORD_OCTETS_MAX} characters (SMPP 3.4 §4.1)")
        return self


class LimitsSection(_Section):
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


class LogSection(_Section):
    """[log]: how much is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Config(_Section):
    """The whole configuration, validated."""

    policy: PolicySection = PolicySection()
    store: StoreSection = StoreSection()
    register_: Annotated[RegisterSection, Field(alias="register")] = RegisterSection()
    desk: DeskSection = DeskSection()
    log: LogSection = LogSection()
    limits: LimitsSection = LimitsSection()
    smsc: tuple[SmscSection, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> "Config":
        if not self.smsc:
            raise ValueError("at least one [[smsc]] is needed")
        names = [smsc.name for smsc in self.smsc]
        if len(set(names)) < len(names):
            raise ValueError("two [[smsc]] have the same name; each needs a name of its own")
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
    overridden, problems = _lay_environment_over(data, environment)
    try:
        config = Config.model_validate(data)
    except ValidationError as fault:
        problems += [_explain(error, path, lines, overridden) for error in fault.errors()]
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
    if len(password) > _PASSWORD_OCTETS_MAX:
        raise ConfigError([f"{where}: over {_PASSWORD_OCTETS_MAX} characters (SMPP 3.4 §4.1)"])
    return password


def _lay_environment_over(
    data: dict[str, Any], environment: Mapping[str, str]
) -> tuple[dict[tuple[str | int, ...], str], list[str]]:
    """Set in `data` what the environment names; (path → variable, problems)."""
    overridden: dict[tuple[str | int, ...], str] = {}
    problems = []
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        words = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        path = tuple(int(word) if word.isdigit() else word for word in words)
        if _set(data, path, environment[name]):
            overridden[path] = name
        else:
            problems.append(
                f"environment {name}: no such place; allowed: {ENVIRONMENT_PREFIX}SECTION__KEY,"
                f" and {ENVIRONMENT_PREFIX}SMSC__0__KEY for the first [[smsc]]"
            )
    return overridden, problems


def _set(data: dict[str, Any], path: tuple[str | int, ...], value: str) -> bool:
    """Put `value` at `path` in nested tables; False where the path leads nowhere."""
    place: Any = data
    for here, following in itertools.pairwise(path):
        if isinstance(here, int):
            if not isinstance(place, list) or here > len(place):
                return False
            if here == len(place):
                place.append({})
        elif not isinstance(place, dict):
            return False
        else:
            place.setdefault(here, [] if isinstance(following, int) else {})
        place = place[here]
    if not isinstance(place, dict) or isinstance(path[-1], int):
        return False
    place[path[-1]] = value
    return True


def _explain(
    error: Any,
    path: Path,
    lines: dict[TomlPath, int],
    overridden: Mapping[tuple[str | int, ...], str],
) -> str:
    """One line for a person from one of pydantic's errors."""
    location = tuple(error["loc"])
    if location in overridden:
        where = f"environment {overridden[location]}"
    else:
        line = line_of(lines, location)
        key = ".".join(str(step) for step in location) or "the whole file"
        where = f"{path}:{line}: {key}" if line else f"{path}: {key}"
    return f"{where}: {_wrong_and_allowed(error, location)}"


def _wrong_and_allowed(error: Any, location: tuple[str | int, ...]) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"unknown key; allowed: {', '.join(_keys_allowed(location))}"
    if kind == "missing":
        if location == ("smsc",):
            return "missing; at least one [[smsc]] is needed"
        return "missing; it has no default"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "tuple_type":
        return "each SMSC needs a section [[smsc]], in double brackets"
    message = error["msg"][:1].lower() + error["msg"][1:]
    if kind == "string_pattern_mismatch":
        message = f"must be {_section(location)[str(location[-1])].description}"
    secret = location and str(location[-1]).startswith("password")
    got = "" if secret or isinstance(error["input"], dict | list) else f"; got {error['input']!r}"
    return f"{message}{got}"


def _keys_allowed(location: tuple[str | int, ...]) -> list[str]:
    """The keys of the section in which an unknown one stands."""
    return sorted(field.alias or name for name, field in _section(location).items())


def _section(location: tuple[str | int, ...]) -> dict[str, FieldInfo]:
    """The fields of the section that the last step of `location` is, or should be, a key of."""
    fields = Config.model_fields
    if len(location) > 1:
        name = "register_" if location[0] == "register" else str(location[0])
        model = SmscSection if name == "smsc" else fields[name].annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        fields = model.model_fields
    return fields
