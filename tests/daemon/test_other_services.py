"""Cyprus and Greece: other numbers, other forms, other zones, by naming another file."""

import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from daemon_process import POLICY_FILE, Daemon, smsc_section, write_config

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

PHONE = "35799000001"


@pytest.mark.parametrize(
    ("name", "moment", "zone", "texts"),
    [
        (
            "cy-8998",
            "2020-04-06T10:15",
            "Asia/Nicosia",
            [
                ("2 123456 1010", "EΓKPINETAI: ID123456, ΣKOΠOΣ 2"),
                ("1 123456 1010 EN", "APPROVED: ID123456, purpose 1"),
                ("2 123456", "NOT APPROVED. Text the purpose"),  # in the language chosen
            ],
        ),
        (
            "gr-13033",
            "2020-04-06T10:15",
            "Europe/Athens",
            [
                ("2 Maria Pappa Ermou 10 EN", "Movement 2 MARIA PAPPA ERMOU 10 is approved"),
                ("2 Maria Pappa Ermou 10", "Movement 2 MARIA PAPPA ERMOU 10"),
            ],
        ),
    ],
)
def test_another_country_is_another_file(
    tmp_path: Path,
    smsc: SmscProcess,
    phones: ControlClient,
    name: str,
    moment: str,
    zone: str,
    texts: list[tuple[str, str]],
) -> None:
    """The daemon knows nothing of 8103 that its policy does not say."""
    number = name.rpartition("-")[2]
    section = smsc_section(smsc.port, more=f'address = "{number}"')
    config = write_config(tmp_path, [section])
    policy = POLICY_FILE.with_name(f"{name}.toml")
    config.write_text(config.read_text().replace(str(POLICY_FILE), str(policy)))
    offset = tmp_path / "offset"
    there = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    offset.write_text(str(there.timestamp() - time.time()))
    with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
        daemon.wait_for("started")
        for text, expected in texts:
            reply = phones.text(PHONE, text, to=number)
            assert reply.sender == number
            assert reply.text.startswith(expected), reply.text
        assert daemon.terminate() == 0
