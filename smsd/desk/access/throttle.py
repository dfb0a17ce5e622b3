"""How often somebody may try to sign in: pure, and told the time."""

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address

__all__ = ["Throttle"]

_NETWORK_BITS = 64  # whoever has one IPv6 address has as many as these leave


class Throttle:
    """Counts what failed by name and by address.

    failures_max: of a name within window_s, address_failures_max: of an address; then nothing is
    tried until the oldest is past.
    remembered_max: names, and as many addresses; beyond that the ones longest quiet are forgotten.
    """

    def __init__(
        self, failures_max: int, address_failures_max: int, window_s: float, remembered_max: int
    ) -> None:
        self._names = _Ledger(failures_max, window_s, remembered_max)
        self._addresses = _Ledger(address_failures_max, window_s, remembered_max)

    def begin(self, name: str, address: str, now_s: float) -> float:
        """Seconds to wait before a try; 0: it may be made now.

        It then counts as failed until `succeeded` tells otherwise, so that many tries at once
        are no way around.
        """
        network = _network(address)
        wait_s = max(self._names.wait_s(name, now_s), self._addresses.wait_s(network, now_s))
        if not wait_s:
            self._names.add(name, now_s)
            self._addresses.add(network, now_s)
        return wait_s

    def succeeded(self, name: str, address: str) -> None:
        """The newest try was good.

        The name's failures are forgotten. Of the address's only this one: who has one account
        could else try others without end.
        """
        self._names.forget(name)
        self._addresses.take_back(_network(address))

    def untried(self, name: str, address: str) -> None:
        """The newest try could not be made: whose fault that is, it is not theirs."""
        self._names.take_back(name)
        self._addresses.take_back(_network(address))


class _Ledger:
    """When it failed, by whom; those longest quiet first."""

    def __init__(self, failures_max: int, window_s: float, remembered_max: int) -> None:
        self._failures_max = failures_max
        self._window_s = window_s
        self._remembered_max = remembered_max
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        failed = self._failed.get(key)
        if failed is None or len(failed) < self._failures_max:
            return 0.0
        return max(0.0, failed[0] + self._window_s - now_s)

    def add(self, key: str, now_s: float) -> None:
        failed = self._failed.setdefault(key, deque(maxlen=self._failures_max))
        failed.append(now_s)
        self._failed.move_to_end(key)
        if len(self._failed) > self._remembered_max:
            self._failed.popitem(last=False)

    def forget(self, key: str) -> None:
        self._failed.pop(key, None)

    def take_back(self, key: str) -> None:
        failed = self._failed.get(key)
        if failed:
            failed.pop()


def _network(address: str) -> str:
    """What is one address to us; what is none stands for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return f"{int(parsed) >> (128 - _NETWORK_BITS):x}::"
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
