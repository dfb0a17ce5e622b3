"""Two real processes, the simulator and the daemon, and a clock that the script can set."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from datetime import time as datetime_time
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

import rules
from simulators.control_client import ControlClient, NoAnswer, SimulatorUnreachable
from smsd.demo.script import Line, conversation, register_csv
from smsd.demo.town import texts, townspeople_csv

_SMSC = ("127.0.0.1", 2775)
_CONTROL = ("127.0.0.1", 2776)
_DESK = ("127.0.0.1", 8103)
_DESK_ADDRESS = f"{_DESK[0]}:{_DESK[1]}"
_CLOCK_FILE = "clock-offset"
_START_S = 30.0
_REPLY_S = 30.0
_STOP_S = 10.0
_POLL_S = 0.05
_TOWN_TEXTS_EVERY_S = 0.4

# Who may sign in at the demo's desk: one who may do everything, and one to approve of it.
_USERS = {
    "leyla": ("viewer", "agent", "police", "policy", "auditor", "admin"),
    "rashad": ("policy",),
}
_PASSWORD = "only-for-the-demo"  # noqa: S105 - and for nothing else

_STYLES = {"→": "cyan", "←": "green"}  # a line without an arrow goes on as the one above it

_CONFIG = f"""\
# The demo's configuration; compare config.toml.
[policy]
file = {{policy!r}}
[store]
url = {{store!r}}
[register]
file = {{register!r}}
[desk]
listen = "{_DESK_ADDRESS}"
public_rules = true
[[smsc]]
name = "simulator"
host = "{_SMSC[0]}"
port = {_SMSC[1]}
system_id = "smsd"
password = "secret"
"""


class _Failed(Exception):
    """The demo cannot go on; the message says why."""


def play(folder: Path, once: bool) -> int:
    """Play the conversation, then stay up unless `once`. Returns the exit code."""
    console = Console(highlight=False)
    # Killed without this, the demo would leave its two processes behind on their ports.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with ExitStack() as stack:
            stage = _Stage(folder, console, stack)
            as_expected = stage.play()
            if not once:
                stage.stay_up()
    except (_Failed, rules.PolicyError, OSError) as fault:
        stderr = Console(stderr=True, highlight=False)
        stderr.print(f"demo: {fault}", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130 if once else 0
    return 0 if as_expected else 1


class _Stage:
    def __init__(self, folder: Path, console: Console, stack: ExitStack) -> None:
        self._console = console
        self._folder = folder
        self._policy = rules.load_policy(_policy_file())
        for address in (_SMSC, _CONTROL, _DESK):
            _require_free(*address)
        _start_anew(folder)
        self._clock_file = folder / _CLOCK_FILE
        config = self._write_config()
        self._zone = ZoneInfo(self._policy.zone)
        self._today = datetime.now(tz=self._zone).date()
        lines = conversation(self._today)
        self._set_clock(lines[0].at)
        self._say("Starting the simulated SMSC and the daemon …")
        host, port = _SMSC
        self._smsc = stack.enter_context(
            self._process("smsc", ["simulators", "smsc"], ["--listen", f"{host}:{port}"])
        )
        self._client = stack.enter_context(self._connect())
        self._daemon = stack.enter_context(
            self._process(
                "daemon",
                ["smsd", "run", "--config", str(config)],
                ["--clock-offset-file", str(self._clock_file)],
            )
        )
        people = folder / "people.csv"
        people.write_text(register_csv() + townspeople_csv(), encoding="utf-8")
        self._config = config
        self._smsd("registry", "import", str(people))
        self._await_ready()
        self._lines = lines

    def play(self) -> bool:
        """Play every line; whether all replies were the expected ones."""
        wrong = 0
        slowest_s = 0.0
        for line in self._lines:
            self._set_clock(line.at)
            started = time.monotonic()
            try:
                reply = self._client.text(line.phone, line.text, "8103", _REPLY_S).text
            except (NoAnswer, SimulatorUnreachable) as fault:
                raise _Failed(f"no reply to {line.text!r}: {fault}\n{self._log_tail()}") from fault
            slowest_s = max(slowest_s, time.monotonic() - started)
            self._show(line, reply)
            if reply != line.reply:
                wrong += 1
                self._console.print(Text(f"       expected: {line.reply}", style="bold red"))
        count = len(self._lines)
        self._say(
            f"\n{count} SMS, {count - wrong} replies as expected; the slowest took"
            f" {slowest_s * 1000:.0f} ms from the phone and back."
        )
        return not wrong

    def stay_up(self) -> None:
        """Let the town text until Ctrl-C, or until a process ends on its own."""
        self._add_users()
        self._say(
            f"\nThe daemon stays up; its clock went on from {self._lines[-1].at}."
            " Text it from another terminal:\n\n"
            '    .venv/bin/smsd-sim send --from 994501234567 "2 AZE 1234567"\n\n'
            f"See it live: http://{_DESK_ADDRESS}/ – sign in as leyla, who may do everything, or as"
            f" rashad,\nwho approves of policies. The password of both: {_PASSWORD}\n"
            f"Anybody may read the rules: http://{_DESK_ADDRESS}/rules\n\n"
            "Why was it decided so:\n\n"
            f"    .venv/bin/smsd explain REFERENCE --config {self._folder}/config.toml\n\n"
            "Ctrl-C ends it."
        )
        town = texts()
        while self._smsc.poll() is None and self._daemon.poll() is None:
            time.sleep(_TOWN_TEXTS_EVERY_S)
            with suppress(SimulatorUnreachable):  # it has ended; told below
                self._client.send(*next(town))
        raise _Failed(f"a process ended.\n{self._log_tail()}")

    def _add_users(self) -> None:
        password = self._folder / "password"
        password.write_text(f"{_PASSWORD}\n", encoding="utf-8")
        for name, roles in _USERS.items():
            told = [option for role in roles for option in ("--role", role)]
            self._smsd("user", "add", name, *told, "--password-file", str(password))

    def _smsd(self, *arguments: str) -> None:
        """One of our own commands, with the demo's configuration; its words are not shown."""
        command = [sys.executable, "-m", "smsd", *arguments, "--config", str(self._config)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")  # noqa: S603
        if done.returncode:
            raise _Failed(f"smsd {' '.join(arguments[:2])}: {done.stderr.strip()}")

    def _write_config(self) -> Path:
        config = self._folder / "config.toml"
        text = _CONFIG.format(
            policy=str(_policy_file()),
            store=f"sqlite:///{self._folder}/smsd.db",
            register=f"{self._folder}/register.db",
        )
        config.write_text(text, encoding="utf-8")
        return config

    def _set_clock(self, local_time: str) -> None:
        """Make it `local_time` of the demo's day where the policy applies."""
        now = datetime.now(tz=UTC)
        told = datetime.combine(self._today, datetime_time.fromisoformat(local_time), self._zone)
        # Written whole or not at all, since the daemon may read at any instant.
        fresh = self._clock_file.with_suffix(".new")
        fresh.write_text(f"{(told - now).total_seconds()}\n")
        fresh.replace(self._clock_file)

    @contextmanager
    def _process(
        self, name: str, command: list[str], options: list[str]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a command of ours in a process of its own, its output in a log; end it afterwards."""
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *command, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(_STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    @contextmanager
    def _connect(self) -> Iterator[ControlClient]:
        deadline = time.monotonic() + _START_S
        while True:
            self._fail_if_ended(deadline, "the simulator did not start")
            try:
                client = ControlClient(*_CONTROL)
                break
            except SimulatorUnreachable:
                time.sleep(_POLL_S)
        with client:
            yield client

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                with urllib.request.urlopen(f"http://{_DESK_ADDRESS}/readyz", timeout=_START_S):
                    return
            except urllib.error.HTTPError as unready:
                reason = unready.read().decode().strip()
            except OSError as fault:
                reason = str(fault)
            self._fail_if_ended(deadline, f"the daemon is not ready: {reason}")
            time.sleep(_POLL_S)

    def _fail_if_ended(self, deadline: float, message: str) -> None:
        processes = [self._smsc, getattr(self, "_daemon", self._smsc)]
        if any(process.poll() is not None for process in processes):
            raise _Failed(f"a process ended at once.\n{self._log_tail()}")
        if time.monotonic() > deadline:
            raise _Failed(f"{message}\n{self._log_tail()}")

    def _log_tail(self) -> str:
        """The last lines of both logs, for whoever must find out why."""
        tails = []
        for log in sorted(self._folder.glob("*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            tails += [f"--- {log}", *lines]
        return "\n".join(tails)

    def _show(self, line: Line, reply: str) -> None:
        style = "bold"
        for printed in line.written(reply):
            style = _STYLES.get(printed[4:5], style)
            self._console.print(Text(printed, style=style), soft_wrap=True)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def _require_free(host: str, port: int) -> None:
    """Fail while somebody listens there: the demo would talk to a stranger."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise _Failed(
                f"{host}:{port} cannot be used ({fault.strerror});"
                " is another demo, smsd or smsd-sim running? The demo needs this port"
            ) from fault


def _start_anew(folder: Path) -> None:
    """An empty `folder`; what stands there is removed only if a demo left it."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / _CLOCK_FILE).exists():
            raise _Failed(f"{folder} holds files that no demo made; name another with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _policy_file() -> Path:
    """The default policy as it is installed."""
    return Path(rules.__file__).parent / "policies" / "8103.toml"
