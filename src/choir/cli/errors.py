"""How a command ends: the exit codes, and errors that are one line telling what to do (docs/reference/cli.md)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process answers. Documented; never renumbered."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NODE_UNREACHABLE = 3
    KEYRING = 4
    PROOF_INVALID = 5
    NODE_FAILED = 6
    INTERRUPTED = 130


class CliError(Exception):
    """A command cannot go on. The message is one line that says what to do."""

    exit_code = ExitCode.REFUSED


class UsageError(CliError):
    """What was typed makes no sense."""

    exit_code = ExitCode.USAGE


class KeyringError(CliError):
    """The keyring cannot be opened, or lacks the key."""

    exit_code = ExitCode.KEYRING


class ProofInvalid(CliError):
    """A proof does not hold, or nobody said whom to trust."""

    exit_code = ExitCode.PROOF_INVALID


class NodeFailed(CliError):
    """A node cannot start, or what it holds is damaged."""

    exit_code = ExitCode.NODE_FAILED
