"""`python -m simulators` is `smsd-sim`."""

from simulators.cli import main

main()
