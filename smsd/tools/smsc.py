"""`smsd smsc …`: asking the running daemon by its control socket."""

import json
import socket
from pathlib import Path
from typing import Any

import click

from smsd.config import Config
from smsd.tools.output import ToolRefused, print_json

__all__ = ["act_on_smsc", "list_smscs", "pace_smsc"]

# The daemon answers when it knows how the SMSC takes us, which takes some seconds.
_ANSWER_S = 30.0


def list_smscs(config: Config, as_json: bool) -> None:
    """Every SMSC; refused where one is neither bound nor suspended."""
    smscs = _ask(config.control_socket, {"do": "list"})["smscs"]
    _print(smscs, as_json)
    if any(smsc["state"] not in ("bound", "suspended") for smsc in smscs):
        raise ToolRefused("")


def pace_smsc(
    config: Config, name: str, rate_per_s: float | None, who: str, reason: str, as_json: bool
) -> None:
    """Give one SMSC so many messages a second at most; None: what is configured."""
    request = {"do": "pace", "smsc": name, "who": who, "reason": reason, "rate_per_s": rate_per_s}
    answer = _ask(config.control_socket, request)
    if not answer["changed"] and not as_json:
        click.echo(f"Nothing to do: that is the pace of {name}.")
    _print(answer["smscs"], as_json)


def act_on_smsc(config: Config, do: str, name: str, who: str, reason: str, as_json: bool) -> None:
    """Suspend, resume or reconnect one SMSC; refused where it should be bound then and is not."""
    request = {"do": do, "smsc": name, "who": who, "reason": reason}
    answer = _ask(config.control_socket, request)
    if not answer["changed"] and not as_json:
        click.echo(f"Nothing to do: {name} was {'suspended' if do == 'suspend' else 'in service'}.")
    _print(answer["smscs"], as_json)
    if answer["smscs"][0]["state"] != ("suspended" if do == "suspend" else "bound"):
        raise ToolRefused("")


def _ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The daemon's answer to one request."""
    try:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(_ANSWER_S)
            caller.connect(str(path))
            caller.sendall(json.dumps(request).encode() + b"\n")
            line = caller.makefile("rb").readline()
    except PermissionError as fault:
        raise ToolRefused(f"{path}: only the user that runs the daemon may ask it.") from fault
    except TimeoutError as fault:
        raise ToolRefused(
            f"The daemon has not answered for {_ANSWER_S:.0f} s; see its log."
        ) from fault
    except OSError as fault:
        raise ToolRefused(
            f"No daemon answers at {path} ({fault.strerror or fault}); does it run with this"
            " configuration?"
        ) from fault
    if not line:
        raise ToolRefused("The daemon hung up without an answer; see its log.")
    answer: dict[str, Any] = json.loads(line)
    if not answer["ok"]:
        raise ToolRefused(answer["error"])
    return answer


def _print(smscs: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(smscs)
        return
    for smsc in smscs:
        click.echo(
            f"{smsc['smsc']}: {smsc['state']}, {smsc['replies_waiting']} replies wait{_pace(smsc)}"
        )
        for bind in smsc["binds"]:
            state = "bound" if bind["bound"] else "not bound"
            why = f": {bind['reason']}" if bind["reason"] else ""
            used = f", window {bind['window_used']} of {bind['window']}" if bind["bound"] else ""
            click.echo(
                f"  {bind['bind']:<14} {bind['address']}  {state} since {bind['since']}{used}{why}"
            )


def _pace(smsc: dict[str, Any]) -> str:
    """At most how many messages a second, and why fewer than configured; nothing: no limit."""
    rate, limit, configured = (smsc[f"{each}_per_s"] for each in ("rate", "limit", "configured"))
    if not rate:
        return "" if limit == configured else ", without a limit"
    told = f", at most {rate:g} messages a second"
    if rate < limit or not limit:
        told += f" after {smsc['slowed_by']}"
    return told if limit == configured else f"{told} (set by hand)"
