"""The peers: what starts each, which version is here, and what it cannot do."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import metadata
from types import MappingProxyType
from typing import NamedTuple

from peer import PEERS
from verdicts import Column, Lacks, NotInstalled

_SBIN = "/usr/sbin:/usr/local/sbin"
_NPM = PEERS / "npm"
_PERL_VERSION = ("perl", "-MJSON::PP", "-MNet::SMPP", "-e", "print $Net::SMPP::VERSION")
_NONE: Lacks = MappingProxyType({})


class Row(NamedTuple):
    """A foreign end. `version` raises NotInstalled; `lacks` is what its authors left out."""

    name: str
    is_smsc: bool
    command: list[str]
    version: Callable[[], str]
    lacks: Lacks = _NONE

    @property
    def id(self) -> str:
        """The row in a test's name."""
        return f"{self.name}-as-{'SMSC' if self.is_smsc else 'ESME'}".replace(" ", "-")


def _npm(module: str) -> str:
    description = _NPM / "node_modules" / module / "package.json"
    if shutil.which("node") is None:
        raise NotInstalled("node is not installed")
    if not description.exists():
        raise NotInstalled("its npm packages are not installed; with npm: make interop-peers")
    return str(json.loads(description.read_text(encoding="utf-8"))["version"])


def _perl() -> str:
    if shutil.which("perl") is None:
        raise NotInstalled("perl is not installed")
    found = subprocess.run(_PERL_VERSION, capture_output=True, text=True)
    if found.returncode:
        raise NotInstalled("Net::SMPP is not installed (Debian: libnet-smpp-perl)")
    return found.stdout


def _kannel() -> str:
    bearerbox, smsbox = (shutil.which(box, path=_SBIN) for box in ("bearerbox", "smsbox"))
    if bearerbox is None or smsbox is None:
        raise NotInstalled("Kannel is not installed (Debian: kannel)")
    said = subprocess.run([bearerbox, "--version"], capture_output=True, text=True)
    return said.stdout.split("`")[1].split("'")[0]  # Kannel bearerbox version `1.4.5'.


def _script(folder: str, name: str, *options: str) -> list[str]:
    program = {"npm": "node", "perl": "perl"}.get(folder, sys.executable)
    return [program, str(PEERS / folder / name), *options]


def _of_pypi(name: str, is_smsc: bool, lacks: Lacks = _NONE) -> Row:
    """The environment has it: its version is pinned in requirements-dev.txt."""
    script = f"{name}_{'smsc' if is_smsc else 'esme'}.py"
    return Row(name, is_smsc, _script("python", script), partial(metadata.version, name), lacks)


def _of_npm(module: str, is_smsc: bool, long_texts_by: str) -> Row:
    """Its version is pinned in peers/npm/package-lock.json, where smpp-next is the next smpp."""
    script = _script("npm", "smsc.js" if is_smsc else "esme.js", module, long_texts_by)
    return Row(f"npm {module}", is_smsc, script, partial(_npm, module))


_SELDOM_ASKS = {
    Column.ENQUIRED_BY_PEER: "the library asks after 30 s of silence, and cannot be told otherwise"
}
_NO_LAST_WORD = {
    Column.UNBOUND_BY_US: "the library now and then hangs up before its unbind_resp has left"
}
_NACKS = {Column.UNBOUND_BY_PEER: "the library nacks the unbind_resp that it asked for"}

ROWS: tuple[Row, ...] = (
    _of_pypi("smpp34", True, _SELDOM_ASKS | _NO_LAST_WORD | _NACKS),
    _of_npm("smpp", True, "UDH"),
    _of_npm("smpp-next", True, "data_sm"),
    Row("Net::SMPP", True, _script("perl", "smsc.pl"), _perl),
    Row("Kannel", False, _script("kannel", "kannel_esme.py"), _kannel),
    _of_pypi("smpplib", False),
    _of_pypi("smpp34", False, _SELDOM_ASKS | _NO_LAST_WORD),
    _of_pypi("naz", False),
    _of_npm("smpp", False, "UDH"),
    _of_npm("smpp-next", False, "payload"),
    Row("Net::SMPP", False, _script("perl", "esme.pl"), _perl),
)
