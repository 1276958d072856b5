"""The order of import: a proposal comes after those that it requires."""

from collections.abc import Iterator, Mapping, Sequence

from choir.cli.importer.documents import Document, Problem


def order_documents(documents: Sequence[Document]) -> tuple[list[Document], dict[str, list[Document]], list[Problem]]:
    """The documents in an order in which each follows what it requires, otherwise as given; for each source what it
    cites; and the requirements that cannot be met: unknown ones, and the one that closes a circle."""
    by_name = _index(documents)
    ordered: list[Document] = []
    cites: dict[str, list[Document]] = {}
    problems: list[Problem] = []
    open_sources: set[str] = set()

    def enter(document: Document) -> tuple[Document, Iterator[str]]:
        open_sources.add(document.source)
        cites[document.source] = []
        return document, iter(document.requires)

    for root in documents:
        if root.source in cites:
            continue
        # Depth first with a stack of our own: chains of requirements may be longer than Python's recursion.
        stack = [enter(root)]
        while stack:
            document, remaining = stack[-1]
            name = next(remaining, None)
            if name is None:
                stack.pop()
                open_sources.remove(document.source)
                ordered.append(document)
                continue
            required = by_name.get(name.casefold())
            reason = _refuse(name, required, open_sources)
            if required is None or reason:
                problems.append(Problem(source=document.source, message=reason))
                continue
            cites[document.source].append(required)
            if required.source not in cites:
                stack.append(enter(required))
    return ordered, cites, problems


def _refuse(name: str, required: Document | None, open_sources: set[str]) -> str:
    """Why a requirement becomes no citation; empty when it does."""
    if required is None:
        return f"requires {name}, which is not here"
    if required.source in open_sources:
        return f"requires {name}, which requires it in turn: a circle"
    return ""


def _index(documents: Sequence[Document]) -> Mapping[str, Document]:
    """Documents by number and by file name; the first of a name wins."""
    by_name: dict[str, Document] = {}
    for document in documents:
        stem = document.source.rpartition("/")[2].removesuffix(".md")
        for name in (document.number, stem):
            by_name.setdefault(name.casefold(), document)
    return by_name
