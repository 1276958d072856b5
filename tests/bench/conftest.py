"""The command line, as its own tests run it."""

from tests.cli.conftest import choir

__all__ = ["choir"]
