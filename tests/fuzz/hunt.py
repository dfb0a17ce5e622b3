"""libFuzzer's loop around the targets; `make fuzz` runs it in an environment that has atheris.

The arguments are libFuzzer's own.
"""

import sys

import atheris

with atheris.instrument_imports(include=["smsd"]):
    from tests.fuzz import targets

atheris.Setup(sys.argv, targets.run)
atheris.Fuzz()
