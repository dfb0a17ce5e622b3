"""Kannel as Debian ships it: bearerbox and smsbox, every SMS answered with one static text."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.driver import CannotMeasure, Load, Result, driving
from benchmarks.machine import free_ports

_CONFIG = """\
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
box-allow-ip = 127.0.0.1
log-level = 3
log-file = {folder}/bearerbox.log
{store}
group = smsc
smsc = smpp
smsc-id = driver
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = kannel
smsc-password = secret
system-type = bench
address-range = ""
max-pending-submits = 1000

group = smsbox
bearerbox-host = 127.0.0.1
log-level = 3
log-file = {folder}/smsbox.log

group = sms-service
keyword = default
catch-all = true
text = "Permit granted (code 2): 06.04 15:27-17:27. Reference 4MEGFN."
"""
_SPOOL = "store-type = spool\nstore-location = {folder}/spool\n"
_STOP_S = 20
_POLL_S = 0.01


def installed() -> bool:
    """Whether there is a Kannel to measure."""
    return bool(shutil.which("bearerbox") and shutil.which("smsbox"))


def measure(driver: Path, load: Load, spool: bool) -> Result:
    """One run, with its spool store or with none at all."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name, driving(driver, load) as drive:
        folder = Path(name)
        (folder / "spool").mkdir()
        admin, box = free_ports(2)
        store = _SPOOL.format(folder=folder) if spool else ""
        config = folder / "kannel.conf"
        config.write_text(
            _CONFIG.format(folder=folder, admin=admin, box=box, port=drive.port, store=store)
        )
        boxes = []
        try:
            for program in ("bearerbox", "smsbox"):
                command = [program, "--verbosity", "4", str(config)]
                boxes.append(
                    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                )
                if program == "bearerbox":
                    _await_listening(boxes[0], box)
            return drive.result()
        finally:
            for process in reversed(boxes):
                process.kill()
                process.wait(_STOP_S)


def _await_listening(bearerbox: "subprocess.Popen[bytes]", port: int) -> None:
    while bearerbox.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(_POLL_S)
        else:
            return
    raise CannotMeasure(f"bearerbox ended with exit code {bearerbox.returncode}")
