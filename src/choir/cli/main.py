"""The `choir` command. One file per command group; each registers here with one line and is imported only when used.

A group's file holds `app = App(name=…)`, or a plain function. A command that takes `context: InContext` (keyword-only)
is given the global options. Commands may be `async`. They raise `CliError`; how errors end is decided here, once.
"""

import asyncio
import inspect
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from cyclopts import App, CycloptsError, Group, Parameter

from choir.cli.context import Context
from choir.cli.errors import CliError, ExitCode, UsageError


class Command(NamedTuple):
    name: str
    import_path: str
    help: str


COMMANDS: Final = (
    Command("up", "choir.cli.up:up", "Run a node."),
    Command("config", "choir.cli.up:config", "Show the node's settings and where they come from."),
    Command("doctor", "choir.cli.doctor:doctor", "Check everything a node holds."),
    Command("memory", "choir.cli.memory:app", "Rebuild what search needs, on a stopped node."),
    Command("snapshot", "choir.cli.snapshot:app", "Save and restore the ledger's state."),
    Command("bench", "choir.cli.bench:app", "Measure this machine."),
    Command("key", "choir.cli.key:app", "Make, list and move the keys in your keyring."),
    Command("faucet", "choir.cli.token:faucet", "Get development CHOIR."),
    Command("account", "choir.cli.account:account", "Show balance, threads and history of an account."),
    Command("thread", "choir.cli.thread:app", "Create threads and read them."),
    Command("message", "choir.cli.message:app", "Post, read, prove, cite, hide and erase messages."),
    Command("watch", "choir.cli.watch:watch", "Show what happens in threads, as it happens."),
    Command("search", "choir.cli.search:search", "Find messages by words and by meaning."),
    Command("suggest", "choir.cli.search:suggest", "Suggest priors for a draft."),
    Command("ask", "choir.cli.ask:ask", "Ask the chorus a question."),
    Command("runs", "choir.cli.runs:app", "List, keep and delete what you asked the chorus."),
    Command("spec", "choir.cli.spec:app", "Submit staked messages to other people's threads, and vote on them."),
    Command("token", "choir.cli.token:app", "Move CHOIR: transfer, divest, premium."),
    Command("council", "choir.cli.council:app", "Propose and endorse what the council decides."),
    Command("network", "choir.cli.network:app", "See the state of the network."),
    Command("tx", "choir.cli.network:tx", "Show a transaction and what became of it."),
    Command("genesis", "choir.cli.network:genesis", "Save the chain's genesis, which `choir verify` trusts."),
    Command("verify", "choir.cli.verify:verify", "Check an inclusion proof offline."),
    Command("mcp", "choir.cli.mcp:mcp", "Let an AI assistant search, ask and draft, over standard input and output."),
    Command("draft", "choir.cli.draft:app", "Sign and send what `choir mcp` drafted."),
    Command("session", "choir.cli.session:app", "Open a session for a program that must not have your key."),
    Command("import", "choir.cli.import_command:import_directory", "Turn a directory of Markdown into threads."),
)
_GLOBAL = Group("Global options")
_GLOBAL_FLAGS: Final = frozenset({"--json"})
_GLOBAL_VALUES: Final = frozenset({"--node", "--keyring", "--password-file"})
DEFAULT_NODE_URL: Final = "http://127.0.0.1:8420"


def build_app(asked: Sequence[str] = ()) -> App:
    """The command tree, nothing of it imported yet. Commands that ``asked`` names explain themselves in full."""
    app = App(
        name="choir",
        help="Knowledge that people write together and own together.",
        version=_version,
        help_format="plaintext",
    )
    for command in COMMANDS:
        in_short = None if command.name in asked else command.help
        app.command(command.import_path, name=command.name, help=in_short)
    app.meta.default(_make_launcher(app))
    return app


def _version() -> str:
    from importlib.metadata import version

    return version("choir")


def _make_launcher(app: App) -> Callable[..., None]:
    """What reads the global options, wherever they stand, and runs the command with the rest."""

    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        node: Annotated[
            str, Parameter(group=_GLOBAL, env_var="CHOIR_NODE", help="Address of the node to talk to.")
        ] = DEFAULT_NODE_URL,
        json: Annotated[
            bool,
            Parameter(group=_GLOBAL, negative=(), show_default=False, help="Print one JSON document instead of text."),
        ] = False,
        keyring: Annotated[Path | None, Parameter(group=_GLOBAL, env_var="CHOIR_KEYRING", help="Keyring file.")] = None,
        password_file: Annotated[
            Path | None, Parameter(group=_GLOBAL, help="File whose first line is the keyring's password.")
        ] = None,
    ) -> None:
        context = Context(node_url=node, is_json=json, keyring_path=keyring, password_file=password_file)
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        if "context" in ignored:
            bound.arguments["context"] = context
        result = command(*bound.args, **bound.kwargs)
        if inspect.isawaitable(result):
            asyncio.run(_await(result))

    return launch


async def _await(result: Awaitable[object]) -> None:
    await result


def run(arguments: Sequence[str]) -> ExitCode:
    """Run one command line and say how it ended; errors are one line on standard error."""
    try:
        _refuse_broken_text(arguments)
        build_app(arguments).meta(
            global_options_first(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except CliError as error:
        return _fail(error.exit_code, str(error))
    except CycloptsError as error:
        return _fail(ExitCode.USAGE, f"{error} (`choir --help` lists what there is)")
    except KeyboardInterrupt:
        return _fail(ExitCode.INTERRUPTED, "interrupted")
    except BrokenPipeError:
        # The reader of our output has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        return _fail_of_client(error)
    return ExitCode.OK


def global_options_first(arguments: Sequence[str]) -> list[str]:
    """The arguments, the global options before all others: where a TEXT may stand, which may begin with a hyphen, they
    would be taken for it. Behind ``--`` everything stays; so does an option without its value, to be complained of."""
    first: list[str] = []
    others: list[str] = []
    rest = deque(arguments)
    while rest and rest[0] != "--":
        argument = rest.popleft()
        option, equals, _ = argument.partition("=")
        takes_next = not equals and rest and not rest[0].startswith("-")
        if argument in _GLOBAL_FLAGS or (equals and option in _GLOBAL_VALUES):
            first.append(argument)
        elif option in _GLOBAL_VALUES and takes_next:
            first += argument, rest.popleft()
        else:
            others.append(argument)
    return [*first, *others, *rest]


def _refuse_broken_text(arguments: Sequence[str]) -> None:
    """Bytes that are no UTF-8 reach Python as halves of surrogate pairs, which no text of the network may hold."""
    for argument in arguments:
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{argument!r} is not valid UTF-8: type it again, or pass text on standard input"
            ) from error


def _fail_of_client(error: Exception) -> ExitCode:
    """The errors of the client, which is imported only by commands that ask a node. Others are our bugs: raised."""
    from choir.cli.output import describe_refusal
    from choir.client.errors import ApiError, NodeUnreachable

    if isinstance(error, NodeUnreachable):
        return _fail(ExitCode.NODE_UNREACHABLE, str(error))
    if isinstance(error, ApiError):
        return _fail(ExitCode.REFUSED, describe_refusal(error))
    raise error


def _fail(exit_code: ExitCode, message: str) -> ExitCode:
    from choir.cli.output import write_error

    write_error(message)
    return exit_code


def main() -> None:
    """The `choir` program."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
