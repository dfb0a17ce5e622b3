"""A simulated SMSC with a limit a second: what it takes, and what it answers above."""

import pytest

from simulators.faults import Faults
from smsd.smpp.pdu import Status


@pytest.mark.parametrize("throughput", [1, 3])
def test_each_second_takes_so_many(throughput: int) -> None:
    """The one above is throttled; with the next second it begins afresh."""
    faults = Faults(throughput=throughput)
    for second in (100, 101, 107):
        answers = [faults.take_submit_status(second + part / 10) for part in range(10)]
        assert answers == [0] * throughput + [Status.ESME_RTHROTTLED] * (10 - throughput)


def test_without_a_limit_all_are_taken() -> None:
    """As built, all is well."""
    faults = Faults()
    assert [faults.take_submit_status(5.0) for _ in range(1_000)] == [0] * 1_000


def test_a_status_to_answer_goes_first() -> None:
    """What is refused for another reason does not count."""
    faults = Faults(throughput=1, submit_status=Status.ESME_RSYSERR, submit_status_times=2)
    answers = [faults.take_submit_status(5.0) for _ in range(4)]
    assert answers == [Status.ESME_RSYSERR] * 2 + [0, Status.ESME_RTHROTTLED]


def test_the_knobs_are_told_and_not_what_is_counted() -> None:
    """What an operator may change is what an operator sees."""
    faults = Faults(throughput=7)
    faults.take_submit_status(5.0)
    assert faults.knobs()["throughput"] == 7
    assert not any(name.startswith("_") for name in faults.knobs())
    with pytest.raises(ValueError, match="no such fault: _taken"):
        faults.change({"_taken": 0})
