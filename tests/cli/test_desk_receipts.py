"""What the desk counts of receipts, of half SMS, and of sweeps that lead to nothing else."""

from smsd.desk.metrics import Metrics
from smsd.gateway.writer import NOTHING
from storage import InboundReceipt

S_US = 1_000_000


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One sample."""
    return metrics.registry.get_sample_value(name, labels)


def test_receipts_are_counted_by_what_they_say() -> None:
    """Those that are durable, and those that were only acknowledged."""
    metrics = Metrics("1", "3")
    metrics.receipts_stored([InboundReceipt("one", "a", state, 9) for state in (2, 2, 5)])
    metrics.receipts_passed("one", "unreadable", 3)
    metrics.receipts_passed("two", "ignored", 1)
    counted = [
        value(metrics, "smsd_receipts_total", smsc=smsc, state=state)
        for smsc, state in (
            ("one", "delivered"),
            ("one", "undeliverable"),
            ("one", "unreadable"),
            ("two", "ignored"),
        )
    ]
    assert counted == [2, 1, 3, 1]


def test_the_way_to_the_handset_is_measured() -> None:
    """In seconds; where the wall clock was set back it took none."""
    metrics = Metrics("1", "3")
    arrived = (("one", 4 * S_US), ("one", -9 * S_US), ("two", 5 * S_US + 1))
    metrics.committed(NOTHING._replace(arrived=arrived), 0, 0.0)
    assert value(metrics, "smsd_handset_seconds_sum", smsc="one") == 4
    assert value(metrics, "smsd_handset_seconds_count", smsc="one") == 2
    assert value(metrics, "smsd_handset_seconds_bucket", smsc="one", le="0.001") == 1
    assert value(metrics, "smsd_handset_seconds_bucket", smsc="two", le="5.0") == 0
    assert value(metrics, "smsd_handset_seconds_bucket", smsc="two", le="10.0") == 1


def test_a_sweep_is_counted_without_an_sms() -> None:
    """What it gave up came in earlier batches."""
    metrics = Metrics("1", "3")
    swept = NOTHING._replace(unmatched=(("one", 2),), unrecognised={"incomplete": 3}, silent=4)
    metrics.committed(swept, 0, 0.0)
    assert value(metrics, "smsd_receipts_unmatched_total", smsc="one") == 2
    assert value(metrics, "smsd_unrecognised_total", reason="incomplete") == 3
    assert value(metrics, "smsd_messages_silent_total") == 4
    assert value(metrics, "smsd_messages_stored_total") == 0


def test_what_may_happen_is_counted_from_nought() -> None:
    """An alert compares a count with the one before: there must be one before the first event."""
    metrics = Metrics("1", "3")
    metrics.begin(["one", "two"])
    for smsc in ("one", "two"):
        assert value(metrics, "smsd_messages_received_total", smsc=smsc) == 0
        assert value(metrics, "smsd_smsc_throttled_total", smsc=smsc) == 0
        for outcome in ("sent", "refused", "expired", "unknown"):
            assert value(metrics, "smsd_replies_total", smsc=smsc, outcome=outcome) == 0
    for reason in ("store", "full"):
        assert value(metrics, "smsd_messages_put_off_total", reason=reason) == 0
    metrics.throttled("one")
    assert value(metrics, "smsd_smsc_throttled_total", smsc="one") == 1


def test_what_has_not_happened_yet_is_a_zero_and_no_gap() -> None:
    """Of what has no labels, so that a rate over the first of them is seen."""
    metrics = Metrics("1", "3")
    assert value(metrics, "smsd_messages_stored_total") == 0
    assert value(metrics, "smsd_commit_seconds_count") == 0
    metrics.committed(NOTHING._replace(repeated=2), 5, 0.0123)
    assert value(metrics, "smsd_messages_stored_total") == 5
    assert value(metrics, "smsd_messages_repeated_total") == 2
    assert value(metrics, "smsd_commit_seconds_sum") == 0.0123
    assert value(metrics, "smsd_commit_seconds_bucket", le="0.01") == 0
    assert value(metrics, "smsd_commit_seconds_bucket", le="0.025") == 1
