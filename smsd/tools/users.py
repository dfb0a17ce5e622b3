"""`smsd user add, list, password, roles, disable, enable`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from smsd.config import Config
from smsd.desk.access.passwords import LETTERS_MAX, LETTERS_MIN, Passwords, Weakness, weakness
from smsd.tools.moments import now_us
from smsd.tools.output import ToolRefused, print_json
from storage import users
from storage.roles import Role
from storage.store import StoreError
from storage.users import NAME_RULE, User

__all__ = ["add_user", "change_password", "change_roles", "disable_user", "show_users"]

_WEAK = {
    Weakness.SHORT: f"A password has at least {LETTERS_MIN} characters.",
    Weakness.LONG: f"A password has at most {LETTERS_MAX} characters.",
    Weakness.NAME: "The name is no password.",
    Weakness.UNREADABLE: "A password has letters, digits, signs and spaces, and nothing else.",
}


def add_user(
    config: Config,
    typed: str,
    roles: Sequence[str],
    password_file: Path | None,
    who: str,
    reason: str,
    as_json: bool,
) -> None:
    """Add somebody who signs in by password."""
    name = _name(typed)
    hashed = Passwords().hash(_password(name, password_file))
    chosen = frozenset(map(Role, roles))
    _do(users.add_user, config.store.url, name, hashed, False, chosen, who, reason, now_us())
    _tell(as_json, name, f"{name} may sign in: {_listed(chosen)}.", roles=sorted(chosen))


def change_password(
    config: Config,
    typed: str,
    password_file: Path | None,
    once: bool,
    who: str,
    reason: str,
    as_json: bool,
) -> None:
    """Give somebody another password."""
    name = _name(typed)
    hashed = Passwords().hash(_password(name, password_file))
    _do(users.set_password, config.store.url, name, hashed, once, who, reason, now_us())
    _tell(as_json, name, f"{name} has another password; open sessions are ended.", once=once)


def change_roles(
    config: Config, typed: str, roles: Sequence[str], who: str, reason: str, as_json: bool
) -> None:
    """Let somebody be something else."""
    name, chosen = _name(typed), frozenset(map(Role, roles))
    _do(users.set_roles, config.store.url, name, chosen, who, reason, now_us())
    told = f"{name} is now: {_listed(chosen)}; open sessions are ended."
    _tell(as_json, name, told, roles=sorted(chosen))


def disable_user(
    config: Config, typed: str, disabled: bool, who: str, reason: str, as_json: bool
) -> None:
    """Keep somebody out, or let him in again."""
    name = _name(typed)
    _do(users.set_disabled, config.store.url, name, disabled, who, reason, now_us())
    told = "is kept out; open sessions are ended" if disabled else "may sign in again"
    _tell(as_json, name, f"{name} {told}.", disabled=disabled)


def show_users(config: Config, as_json: bool) -> None:
    """Everybody."""
    try:
        found = users.list_users(config.store.url)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json([{**user._asdict(), "roles": sorted(user.roles)} for user in found])
        return
    for user in found:
        click.echo(f"{user.name:<20}  {_listed(user.roles)}{_remarks(user)}")
    if not found:
        click.echo("Nobody yet: the desk only shows, and only on this machine.")


def _remarks(user: User) -> str:
    remarks = {
        "disabled": user.disabled,
        "by OpenID Connect": user.by_provider,
        "must choose a password": user.once,
    }
    told = ", ".join(words for words, so in remarks.items() if so)
    return f" ({told})" if told else ""


def _name(typed: str) -> str:
    name = users.proper_name(typed)
    if name is None:
        raise ToolRefused(f"{typed!r} cannot be a user's name: {NAME_RULE}.")
    return name


def _password(name: str, file: Path | None) -> str:
    """From the file, or as it is typed twice; never from the command line, which others see."""
    password = _asked() if file is None else _first_line(file)
    weak = weakness(password, name)
    if weak is not None:
        raise ToolRefused(f"{_WEAK[weak]} Nothing was changed.")
    return password


def _asked() -> str:
    try:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    except click.Abort as fault:
        raise ToolRefused(
            "No password was given. Nothing was changed; --password-file names a file with it."
        ) from fault


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as fault:
        raise ToolRefused(f"{file}: cannot be read as UTF-8 text ({fault}).") from fault


def _do(act: Callable[..., None], *arguments: object) -> None:
    try:
        act(*arguments)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault


def _tell(as_json: bool, name: str, words: str, **data: object) -> None:
    if as_json:
        print_json({"user": name, **data})
    else:
        click.echo(words)


def _listed(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles)) or "no role"
