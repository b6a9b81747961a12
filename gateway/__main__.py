"""`python -m gateway` is the command."""

from gateway.cli import main

main()
