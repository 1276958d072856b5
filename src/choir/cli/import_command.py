"""`choir import`: a directory of Markdown proposals becomes threads."""

import asyncio
import itertools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from choir.cli.context import Context, InContext
from choir.cli.errors import CliError, ExitCode, UsageError
from choir.cli.progress import progress_bar

if TYPE_CHECKING:
    from choir.cli.importer.documents import Document, Problem
    from choir.cli.importer.run import Import
    from choir.cli.importer.tally import Summary, Tally
    from choir.client import Client
    from choir.primitives.signatures import SigningKey

AUTHORS_FILE = "import.jwe"
PROBLEMS_SHOWN = 10


class ImportInterrupted(CliError):
    """Ctrl-C: what was under way is done, the rest is not."""

    exit_code = ExitCode.INTERRUPTED


async def import_directory(
    directory: Path,
    /,
    *,
    limit: Annotated[int | None, Parameter(help="Only the first so many proposals, and what they require.")] = None,
    context: InContext,
) -> None:
    """Turn a directory of Markdown proposals with YAML front matter into threads.

    The first author creates the thread; each further author submits a section with a stake, which all co-authors
    approve; they post the rest in turn. `requires:` become citations of the required proposals' abstracts. The
    authors' keys are kept in import.jwe beside your keyring, or in --keyring. Ctrl-C stops; run again to go on.

    Parameters
    ----------
    directory
        Where the *.md files are.
    """
    from choir.cli.importer.documents import read_documents
    from choir.cli.importer.plan import select_documents
    from choir.client.transport import RETRY_DELAYS_SECONDS

    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} imports nothing: give 1 or more, or leave it out")
    documents, problems = read_documents(directory)
    if not documents:
        raise UsageError(f"no proposal in {directory}: it takes *.md files whose front matter names authors")
    chosen = select_documents(documents, limit)
    async with context.client(retry_delays_seconds=RETRY_DELAYS_SECONDS) as client:
        summary = await _run(context, client, chosen, tuple(problems))
    context.output.show(summary, *_describe(summary))
    if summary.is_interrupted:
        raise ImportInterrupted("interrupted: run the same command again to go on where it stopped")


async def _run(
    context: Context, client: "Client", documents: "list[Document]", problems: "tuple[Problem, ...]"
) -> "Summary":
    import msgspec

    from choir.cli.importer.plan import limits_of, make_plan
    from choir.cli.importer.run import Import
    from choir.cli.importer.tally import Tally

    network = await client.network()
    tally = Tally()
    keys = _open_keys(context, documents, tally)
    addresses = {name: key.address for name, key in keys.items()}
    plan = make_plan(documents, addresses, network.chain_id, limits_of(network.params))
    plan = msgspec.structs.replace(plan, problems=(*problems, *plan.problems))
    with progress_bar("importing messages", context.is_json) as report:
        total = sum(len(thread.messages) for thread in plan.threads)
        done = itertools.count(1)
        run = Import(
            client,
            plan,
            {key.address: key for key in keys.values()},
            chain_id=network.chain_id,
            stake=int(network.params["minimum_stake"]),
            has_faucet=network.is_development,
            tally=tally,
            advance=lambda: report(next(done), total),
        )
        with _interruptible(run):
            return await run.run()


def _open_keys(context: Context, documents: "list[Document]", tally: "Tally") -> "dict[str, SigningKey]":
    """The authors' keys by name; those that are missing are made."""
    from choir.cli.importer.plan import needed_key_names
    from choir.primitives.signatures import SigningKey

    names = needed_key_names(documents)
    with context.edit_keyring(context.resolve_keyring_path(AUTHORS_FILE)) as keyring:
        missing = [name for name in names if name not in keyring]
        for name in missing:
            keyring.add(name, SigningKey.generate())
        tally.add("keys_made", len(missing))
        return {name: keyring.key(name) for name in names}


@contextmanager
def _interruptible(run: "Import") -> "Iterator[None]":
    """The first Ctrl-C lets what is under way come to its end; the second breaks off."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        run.stop()

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _describe(summary: "Summary") -> list[str]:
    lines = [
        f"{summary.proposals} proposals: {summary.threads} threads, {summary.messages} messages, "
        f"{summary.specs} specs, {summary.approvals} approvals, {summary.citations} citations",
        f"{summary.transactions} transactions in {summary.seconds:g} s: {summary.transactions_per_second:g} per second",
        f"{summary.skipped} skipped, which the node had already; {summary.keys_made} keys made, "
        f"{summary.faucet_grants} wallets filled",
    ]
    lines += [f"refused {count} times: {name}" for name, count in summary.refused.items()]
    lines += [f"  {item.source}: could not {item.what}: {item.message}" for item in summary.refused_examples]
    lines += [f"{problem.source}: {problem.message}" for problem in summary.problems[:PROBLEMS_SHOWN]]
    if len(summary.problems) > PROBLEMS_SHOWN:
        lines.append(f"… and {len(summary.problems) - PROBLEMS_SHOWN} more such notes; --json lists all")
    return lines
