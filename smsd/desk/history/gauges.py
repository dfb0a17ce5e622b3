"""What can be read at any moment, as gauges of a sample."""

from smsd.desk.premises import Premises

__all__ = ["gauges"]

_US_PER_S = 1_000_000


def gauges(premises: Premises, now_us: int) -> dict[str, tuple[float, float]]:
    """By series, the value now, twice: as the last one and the highest. What is 0 is left out."""
    values: dict[str, float] = {"backlog": premises.lane.backlog}
    for smsc in premises.switchboard.smscs:
        name, outbox = smsc.settings.name, smsc.outbox
        oldest_us = outbox.oldest_us
        values[f"outbox/{name}"] = outbox.depth
        if oldest_us is not None:
            values[f"oldest_s/{name}"] = max(0.0, round((now_us - oldest_us) / _US_PER_S, 3))
        values[f"window_used/{name}"] = sum(bind.window_used for bind in smsc.binds)
        values[f"binds_up/{name}"] = sum(bind.up for bind in smsc.binds)
        values[f"rate_limit/{name}"] = round(outbox.rate_per_s, 3)
    return {name: (value, value) for name, value in values.items() if value}
