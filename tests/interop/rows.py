"""The peers: what starts each, what it needs, and what it cannot do."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from types import MappingProxyType
from typing import NamedTuple

from peer import PEERS
from verdicts import Column, Lacks

_NPM = PEERS / "npm"
_SBIN = "/usr/sbin:/usr/local/sbin"
_NONE: Lacks = MappingProxyType({})


class Row(NamedTuple):
    """A foreign end. `missing` says what is not installed; `lacks` what its authors left out."""

    name: str
    is_smsc: bool
    command: list[str]
    missing: Callable[[], str]
    lacks: Lacks = _NONE

    @property
    def id(self) -> str:
        """The row in a test's name."""
        return f"{self.name} as {'SMSC' if self.is_smsc else 'ESME'}".replace(" ", "-")


def _script(folder: str, name: str, *options: str) -> list[str]:
    program = {"npm": "node", "perl": "perl"}.get(folder, sys.executable)
    return [program, str(PEERS / folder / name), *options]


def _npm(module: str) -> Callable[[], str]:
    def missing() -> str:
        if shutil.which("node") is None:
            return "node is not installed"
        if not (_NPM / "node_modules" / module).exists():
            return "its npm packages are not installed; run: make interop-peers"
        return ""

    return missing


def _perl() -> str:
    if shutil.which("perl") is None:
        return "perl is not installed"
    found = subprocess.run(["perl", "-MNet::SMPP", "-MJSON::PP", "-e", "1"], capture_output=True)
    return "Debian's package libnet-smpp-perl is not installed" if found.returncode else ""


def _kannel() -> str:
    boxes = [shutil.which(box, path=_SBIN) for box in ("bearerbox", "smsbox")]
    return "" if all(boxes) else "Debian's package kannel is not installed"


def _python() -> str:
    """The environment has them: they are pinned in requirements-dev.txt."""
    return ""


def _pypi(name: str) -> str:
    return f"{name} {metadata.version(name)}"


_NO_ENQUIRE_LINK = {
    Column.ENQUIRED_BY_PEER: "the library asks after 30 s of silence, and cannot be told otherwise"
}
_NO_LAST_WORD = {Column.UNBIND: "the library now and then hangs up before its unbind_resp has left"}

ROWS: tuple[Row, ...] = (
    Row(
        _pypi("smpp34"),
        True,
        _script("python", "smpp34_smsc.py"),
        _python,
        _NO_ENQUIRE_LINK | _NO_LAST_WORD,
    ),
    Row("npm smpp 0.5.1", True, _script("npm", "smsc.js", "smpp-0.5", "udh"), _npm("smpp-0.5")),
    Row(
        "npm smpp 0.6.0-rc.4",
        True,
        _script("npm", "smsc.js", "smpp-0.6", "payload"),
        _npm("smpp-0.6"),
    ),
    Row("Net::SMPP 1.19", True, _script("perl", "smsc.pl"), _perl),
    Row("Kannel 1.4.5", False, _script("kannel", "kannel_esme.py"), _kannel),
    Row(_pypi("smpplib"), False, _script("python", "smpplib_esme.py"), _python),
    Row(_pypi("smpp34"), False, _script("python", "smpp34_esme.py"), _python, _NO_ENQUIRE_LINK),
    Row(_pypi("naz"), False, _script("python", "naz_esme.py"), _python),
    Row("npm smpp 0.5.1", False, _script("npm", "esme.js", "smpp-0.5", "udh"), _npm("smpp-0.5")),
    Row(
        "npm smpp 0.6.0-rc.4",
        False,
        _script("npm", "esme.js", "smpp-0.6", "payload"),
        _npm("smpp-0.6"),
    ),
    Row("Net::SMPP 1.19", False, _script("perl", "esme.pl"), _perl),
)
