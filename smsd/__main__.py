"""`python -m smsd` is `smsd`."""

from smsd.cli import main

main()
