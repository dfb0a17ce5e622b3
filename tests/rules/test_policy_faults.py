"""One file for each way in which a policy can be wrong, with the exact words that are said of it.

The lines that begin with ``#!`` are what an officer must be told of that file, all of it.
"""

from pathlib import Path

import pytest

from rules import PolicyError, load_policy

FAULTS = sorted((Path(__file__).parent / "faults").glob("*.toml"))


def test_there_are_enough() -> None:
    """A folder that moved away would otherwise pass."""
    assert len(FAULTS) >= 50


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_a_wrong_file_is_told_in_these_words(path: Path) -> None:
    """File, line, key, what is wrong and what is allowed; everything, and nothing else."""
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("#! ") for line in lines if line.startswith("#! ")]
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert str(caught.value) == "\n".join(expected)
