"""`smsd token add, list, revoke`."""

from collections.abc import Sequence
from datetime import date, timedelta

import click

from smsd.config import Config
from smsd.tools.law import law_in_force
from smsd.tools.moments import now_us, told
from smsd.tools.output import ToolRefused, print_json
from storage import tokens, users
from storage.roles import Scope
from storage.store import StoreError
from storage.tokens import LONGEST_DAYS, Token
from storage.users import NAME_RULE

__all__ = ["make_token", "revoke_token", "show_tokens"]


def make_token(
    config: Config,
    typed: str,
    scopes: Sequence[str],
    until: date,
    who: str,
    reason: str,
    as_json: bool,
) -> None:
    """Make a token and print it, once."""
    name = users.proper_name(typed)
    if name is None:
        raise ToolRefused(f"{typed!r} cannot be a token's name: {NAME_RULE}.")
    calendar = law_in_force(config).calendar
    today = calendar.date(now_us())
    if not today < until <= today + timedelta(days=LONGEST_DAYS):
        raise ToolRefused(
            f"--until must lie after today and at most {LONGEST_DAYS} days from now: until"
            f" {today + timedelta(days=LONGEST_DAYS)}."
        )
    expires_us = calendar.day_start_us(until.toordinal())
    chosen = frozenset(map(Scope, scopes))
    try:
        secret = tokens.add_token(config.store.url, name, chosen, expires_us, who, reason, now_us())
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json({"token": name, "secret": secret, "until": until.isoformat()})
        return
    click.echo(secret)
    click.echo(f"Token {name}, good until {until}. It cannot be shown again.", err=True)


def revoke_token(config: Config, typed: str, who: str, reason: str, as_json: bool) -> None:
    """Let a token be good no longer."""
    name = users.proper_name(typed) or typed
    try:
        tokens.revoke_token(config.store.url, name, who, reason, now_us())
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json({"token": name, "revoked": True})
    else:
        click.echo(f"Token {name} is refused from now on.")


def show_tokens(config: Config, as_json: bool) -> None:
    """All tokens there ever were."""
    zone = law_in_force(config).zone
    try:
        found = tokens.list_tokens(config.store.url)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json([{**token._asdict(), "scopes": sorted(token.scopes)} for token in found])
        return
    for token in found:
        used = f"used {told(token.used_at_us, zone)}" if token.used_at_us else "never used"
        scopes = ", ".join(sorted(token.scopes))
        click.echo(f"{token.name:<20}  {scopes}; {token.created_by}; {_end(token, zone)}; {used}")
    if not found:
        click.echo("There are no tokens.")


def _end(token: Token, zone: str) -> str:
    if token.revoked_at_us is not None:
        return f"revoked {told(token.revoked_at_us, zone)}"
    over = now_us() >= token.expires_at_us
    return f"{'ended' if over else 'good until'} {told(token.expires_at_us, zone)}"
