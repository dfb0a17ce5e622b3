"""[desk] of config.toml: where the desk listens, whom it lets in, and its bounds."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from smsd.config_values import HOST_PORT, Count, Seconds, Section, with_port
from storage.roles import Role

__all__ = ["DashboardSection", "DeskSection", "DeskTlsSection", "OidcSection"]

_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$"


class DeskTlsSection(Section):
    """[desk.tls]: the desk by HTTPS. Its files are read again whenever they change."""

    certificate_file: Path  # PEM, ours, then those that lead to an authority
    key_file: Path | None = None  # PEM, without a passphrase; else within certificate_file


class OidcSection(Section):
    """[desk.oidc]: sign-in by an OpenID Connect provider, beside that by password."""

    issuer: Annotated[
        str, Field(pattern=r"^https?://", description="https://…, as it names itself")
    ]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret_file: Path | None = None  # none: a public client, with PKCE alone
    # The claim whose values are compared with `roles`; whoever has none of them is not let in.
    roles_claim: str = "groups"
    roles: Mapping[Role, str] = {}  # the value that makes somebody an agent, …
    name_claim: str = "preferred_username"  # what the audit calls somebody
    label: str = "single sign-on"  # on the button
    scope: str = "openid profile"  # what is asked for; some give groups only for a scope of theirs
    ca_file: Path | None = None  # PEM, who vouches for the provider's certificate; none: the usual
    timeout_s: Seconds = 10.0  # of each answer, whole
    answer_bytes_max: Annotated[int, Field(ge=16_384, le=4_194_304)] = 262_144
    cached_s: Seconds = 3_600.0  # its description and keys
    keys_again_s: Seconds = 30.0  # sooner than that, no key unknown to us makes us ask again
    leeway_s: Annotated[float, Field(ge=0, le=300)] = 60.0  # between its clock and ours
    attempt_s: Seconds = 600.0  # from leaving the desk to being back
    attempts_max: Count = 1_000  # under way at once; then the oldest is forgotten
    at_once_max: Annotated[int, Field(ge=1, le=100)] = 4  # threads that wait for the provider

    @field_validator("issuer")
    @classmethod
    def _is_guarded(cls, issuer: str) -> str:
        """Who listens between us and the provider must not be able to sign anybody in."""
        found = urlsplit(issuer)
        if found.scheme != "https" and found.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("the issuer must be https://…; http is for one on this machine")
        if found.query or found.fragment:
            raise ValueError("an issuer has neither ? nor #")
        return issuer


_Days = Annotated[float, Field(gt=0, le=3_660)]


class DashboardSection(Section):
    """[desk.dashboard]: how long its charts reach back, and from when on it warns."""

    # Of the rows of 5 seconds, of a minute, of a quarter of an hour; each 1 to 3 KB in the store.
    history_fine_days: _Days = 2 / 24
    history_minutes_days: _Days = 2.0
    history_quarters_days: _Days = 35.0
    points_max: Annotated[int, Field(ge=10, le=2_000)] = 300  # of a chart
    series_max: Annotated[int, Field(ge=1, le=1_000)] = 50  # of one kind; the rest are "other"
    events_max: Count = 200  # kept in memory, of what happened lately
    reply_late_s: Seconds = 60.0  # a reply that waits longer is told
    disk_free_min_bytes: Annotated[int, Field(ge=0)] = 2_000_000_000  # less is told
    certificate_days: _Days = 14.0  # one that ends within is told
    register_days: _Days = 2.0  # one that was imported longer ago is told
    abuse_every_s: Annotated[float, Field(ge=60, le=86_400)] = 900.0  # counted anew, if watched
    abuse_s: Seconds = 600.0  # for the counting; then it is given up

    @property
    def history_tiers(self) -> tuple[tuple[int, int], ...]:
        """How many seconds a row spans, and for how many it is kept; the shortest first."""
        days = (self.history_fine_days, self.history_minutes_days, self.history_quarters_days)
        return tuple(zip((5, 60, 900), (round(each * 86_400) for each in days), strict=True))


class DeskSection(Section):
    """[desk]: the operators' web desk, /metrics, /livez, /readyz."""

    listen: Annotated[
        str,
        Field(
            pattern=HOST_PORT,
            description="HOST:PORT, for example 127.0.0.1:8103 or [::1]:8103",
        ),
    ] = "127.0.0.1:8103"
    # The names under which browsers may know the desk, besides this machine's own: a page of
    # somebody else must not reach it by a name that leads here.
    hosts: tuple[Annotated[str, Field(pattern=_HOST)], ...] = ()
    # Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: tuple[str, ...] = ()
    tls: DeskTlsSection | None = None
    oidc: OidcSection | None = None
    dashboard: DashboardSection = DashboardSection()
    public_rules: bool = False  # /rules, the rules in force, for anybody
    session_idle_s: Seconds = 1_800.0  # without a visit; then sign in again
    session_s: Seconds = 43_200.0  # from the sign-in
    # Of one name, and of one address, behind which a whole call centre may sit, in so long; then
    # it waits until the oldest is past.
    sign_in_failures_max: Count = 5
    sign_in_address_failures_max: Count = 30
    sign_in_window_s: Seconds = 300.0
    sign_in_remembered_max: Count = 10_000  # names and addresses of which that is known
    body_bytes_max: Annotated[int, Field(ge=65_536, le=16_777_216)] = 1_048_576
    form_bytes_max: Annotated[int, Field(ge=16_384, le=1_048_576)] = 65_536  # without a file
    streams_max: Annotated[int, Field(ge=1, le=1_000)] = 50  # dashboards open at once
    connections_max: Annotated[int, Field(ge=10, le=10_000)] = 500
    # Of one police officer or API token: enough for a busy road, too little to try numbers out.
    checks_per_minute_max: Annotated[int, Field(ge=1, le=6_000)] = 60
    overrides_per_day_max: Annotated[int, Field(ge=0, le=10_000)] = 50  # of one agent
    look_up_days_max: Annotated[int, Field(ge=1, le=31)] = 7  # back from today
    # Lines of the audit that wait beside the store while it cannot be written; then nothing that
    # must be noted is shown any more. 0.2 KB each.
    audit_waiting_max: Count = 100_000
    found_max: Annotated[int, Field(ge=10, le=1_000)] = 100  # SMS shown by a look-up
    study_s: Seconds = 900.0  # coverage, diff or replay of a candidate policy

    @field_validator("hosts", "trusted_proxies", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        """In the environment, which knows no lists: A,B."""
        return given.split(",") if isinstance(given, str) else given

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ip_address(proxy)
        return proxies

    @field_validator("listen")
    @classmethod
    def _port_exists(cls, listen: str) -> str:
        return with_port(listen, lowest=0)

    @model_validator(mode="after")
    def _idle_within_session(self) -> Self:
        if self.session_idle_s > self.session_s:
            raise ValueError("session_idle_s must not exceed session_s")
        return self
