"""Search as the asking account, and suggestions of priors for a draft."""

import asyncio
from functools import partial
from typing import Annotated

import msgspec
from litestar import Response, Router, get, post
from litestar.params import Parameter
from msgspec import Meta, Struct

from choir.api.access import Shown, is_premium, show
from choir.api.answers import Answer, AnyRequest, answer
from choir.api.bodies import decode_body, read_body
from choir.api.parameters import AddressQuery, ThreadQuery, validate_address, validate_thread_id
from choir.api.services import Services, get_services
from choir.api.threads import make_title
from choir.api.viewer import get_caller, get_viewer
from choir.api.views import MessageView, message_view
from choir.ledger.errors import Code, Rejected
from choir.memory.memory import Found
from choir.memory.privacy import View, get_search_scope
from choir.memory.suggest import Suggestion
from choir.memory.vector_index import SearchFilter

_OWN_THREADS = 10_000
_EVERYTHING = 2**62

K = Annotated[int, Parameter(ge=1, le=100, description="the most hits to answer with")]
TimeMs = Annotated[int | None, Parameter(ge=0, le=2**53 - 1, description="block time in milliseconds")]
PrivacyQuery = Annotated[str | None, Parameter(description="only this level: public, premium or thread")]


class HitView(Struct, frozen=True, kw_only=True):
    """``score`` 0…1 orders the hits; ``similarity`` is the cosine of the embeddings, null where only keywords answered.

    ``resonance`` is that of the message with its priors; ``proof`` the route of its inclusion proof.
    """

    message: MessageView
    title: str | None
    score: float
    similarity: float | None
    keyword_score: float
    resonance: float | None
    proof: str


class SearchView(Struct, frozen=True, kw_only=True):
    """``vectors_used`` is false when only keywords could answer; ``query_cut`` true when the query was too long."""

    hits: list[HitView]
    vectors_used: bool
    query_cut: bool


class SuggestBody(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(max_length=65536)]
    k: Annotated[int, Meta(ge=1, le=100)] = 10


class SuggestionView(Struct, frozen=True, kw_only=True):
    """``likeness`` and ``votes`` are shares of the best, ``score`` is their mean."""

    message: MessageView
    title: str | None
    score: float
    likeness: float
    votes: float


_suggest_decoder = msgspec.json.Decoder(SuggestBody)


@get("/search")
async def search(
    request: AnyRequest,
    q: Annotated[str, Parameter(description="what to look for")],
    k: K = 10,
    thread_id: ThreadQuery = None,
    author: AddressQuery = None,
    since_ms: TimeMs = None,
    until_ms: TimeMs = None,
    privacy: PrivacyQuery = None,
) -> Response[Answer[SearchView]]:
    """The best messages that the asker may find, by words and by meaning."""
    services, viewer = get_services(request.app), await get_viewer(request)
    validate_thread_id(thread_id)
    validate_address(author, "author")
    await _count_search(request, services, viewer)
    scope = narrow(await make_filter(services, viewer), privacy)
    search_filter = msgspec.structs.replace(
        scope, thread_id=thread_id, author=author, since_ms=since_ms, until_ms=until_ms
    )
    found = await services.memory.search(q, search_filter, k)
    shown = await show(services, viewer, [item.record for item in found.found])
    titles = await _titles(services, shown)
    # A right lost since the filter was made ends here; the query itself never sees what the asker may not find.
    pairs = [(item, s) for item, s in zip(found.found, shown, strict=True) if s.view is View.FULL]
    hits = [_hit_view(item, s, titles.get(item.record.thread_id)) for item, s in pairs]
    return answer(request, SearchView(hits=hits, vectors_used=found.vectors_used, query_cut=found.query_cut))


@post("/priors/suggest", status_code=200)
async def suggest_priors(request: AnyRequest) -> Response[Answer[list[SuggestionView]]]:
    """Messages that a draft might cite, among those that the asker may find."""
    body = await read_body(request, lambda raw: decode_body(raw, _suggest_decoder))
    services, viewer = get_services(request.app), await get_viewer(request)
    await _count_search(request, services, viewer)
    pairs = await services.memory.suggest(body.text, await make_filter(services, viewer), body.k)
    shown = await show(services, viewer, [record for _, record in pairs])
    titles = await _titles(services, shown)
    views = [
        _suggestion_view(suggestion, s, titles.get(record.thread_id))
        for (suggestion, record), s in zip(pairs, shown, strict=True)
        if s.view is View.FULL
    ]
    return answer(request, views)


async def make_filter(services: Services, viewer: str | None) -> SearchFilter:
    """What the viewer may find, to stand inside the query (design: memory, "Privacy")."""
    own: list[str] = []
    if viewer is not None:
        rows = await asyncio.to_thread(
            services.projection.threads, before_seq=_EVERYTHING, limit=_OWN_THREADS, co_author=viewer
        )
        own = [thread_id for thread_id, _ in rows]
    with services.engine.read() as state:
        scope = get_search_scope(viewer, own, is_premium(state, viewer))
    return SearchFilter(levels=scope.levels, own_threads=scope.own_threads)


def narrow(search_filter: SearchFilter, privacy: str | None) -> SearchFilter:
    """Only one privacy level. Rejects a level that does not exist."""
    if privacy is None:
        return search_filter
    if privacy not in ("public", "premium", "thread"):
        raise Rejected(Code.InvalidRequest, "privacy is public, premium or thread.", field="privacy")
    return msgspec.structs.replace(search_filter, privacy=privacy)


async def _count_search(request: AnyRequest, services: Services, viewer: str | None) -> None:
    limiter, caller = services.access.limiter, get_caller(request, viewer)
    await services.access.run(partial(limiter.use, caller, "search", services.searches_per_hour, services.clock_ms()))


async def _titles(services: Services, shown: list[Shown]) -> dict[str, str | None]:
    """Titles of the threads of public hits; those of others are not looked up."""
    ids = sorted({s.record.thread_id for s in shown if s.view is View.FULL})

    def read() -> dict[str, str | None]:
        openings = {thread_id: services.records.opening_of(thread_id) for thread_id in ids}
        return {
            thread_id: make_title(opening.text)
            for thread_id, opening in openings.items()
            if opening is not None and opening.privacy == "public"
        }

    return await asyncio.to_thread(read)


def _hit_view(item: Found, shown: Shown, title: str | None) -> HitView:
    return HitView(
        message=message_view(shown),
        title=title,
        score=item.hit.score,
        similarity=item.hit.similarity,
        keyword_score=item.hit.keyword_score,
        resonance=shown.resonance,
        proof=f"/v1/message/{item.record.content_hash}/proof",
    )


def _suggestion_view(suggestion: Suggestion, shown: Shown, title: str | None) -> SuggestionView:
    return SuggestionView(
        message=message_view(shown),
        title=title,
        score=suggestion.score,
        likeness=suggestion.likeness,
        votes=suggestion.votes,
    )


router = Router("/", route_handlers=[search, suggest_priors], tags=["search"])
