"""Search as the asking account, and suggestions of priors for a draft."""

from functools import partial
from typing import Annotated

import msgspec
from litestar import Response, Router, get, post
from litestar.params import Parameter
from msgspec import Meta, Struct

from choir.api.access import Shown, show
from choir.api.answers import Answer, AnyRequest, answer
from choir.api.bodies import decode_body, read_body
from choir.api.finding import FoundMessage, find, make_filter, proof_route, titles_of
from choir.api.parameters import AddressQuery, ThreadQuery, validate_address, validate_thread_id
from choir.api.services import Services, get_services
from choir.api.viewer import get_caller, get_viewer
from choir.api.views import MessageView, message_view
from choir.ledger.errors import Code, Rejected
from choir.memory.privacy import View
from choir.memory.search import checked_query
from choir.memory.suggest import Suggestion
from choir.memory.text import MAX_TEXT_BYTES

K = Annotated[int, Parameter(ge=1, le=100, description="the most hits to answer with")]
TimeMs = Annotated[int | None, Parameter(ge=0, le=2**53 - 1, description="block time in milliseconds")]
PrivacyQuery = Annotated[str | None, Parameter(description="only this level: public, premium or thread")]


class HitView(Struct, frozen=True, kw_only=True):
    """``score`` 0…1 orders the hits; ``similarity`` is the cosine of the embeddings, null where only keywords answered.

    ``title`` is that of its thread, where the asker may read it; ``resonance`` that of the message with its priors;
    ``proof`` the route of its inclusion proof.
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
    text: Annotated[str, Meta(max_length=MAX_TEXT_BYTES)]
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
    _validate_privacy(privacy)
    # What is refused so far uses nothing up.
    checked_query(q)
    await _count_search(request, services, viewer)
    search_filter = msgspec.structs.replace(
        await make_filter(services, viewer),
        thread_id=thread_id,
        author=author,
        since_ms=since_ms,
        until_ms=until_ms,
        privacy=privacy,
    )
    found = await find(services, viewer, q, search_filter, k, titles_for=viewer)
    hits = [_hit_view(item) for item in found.items]
    return answer(request, SearchView(hits=hits, vectors_used=found.vectors_used, query_cut=found.query_cut))


@post("/priors/suggest", status_code=200)
async def suggest_priors(request: AnyRequest) -> Response[Answer[list[SuggestionView]]]:
    """Messages that a draft might cite, among those that the asker may find."""
    body = await read_body(request, lambda raw: decode_body(raw, _suggest_decoder))
    size_bytes = len(body.text.encode())
    if size_bytes > MAX_TEXT_BYTES:
        raise Rejected(Code.TextTooLong, f"It has {size_bytes} bytes of UTF-8.", field="text")
    services, viewer = get_services(request.app), await get_viewer(request)
    checked_query(body.text)
    await _count_search(request, services, viewer)
    pairs = await services.memory.suggest(body.text, await make_filter(services, viewer), body.k)
    shown = await show(services, viewer, [record for _, record in pairs])
    titles = await titles_of(services, viewer, shown)
    views = [
        _suggestion_view(suggestion, s, titles.get(record.thread_id))
        for (suggestion, record), s in zip(pairs, shown, strict=True)
        if s.view is View.FULL
    ]
    return answer(request, views)


def _validate_privacy(privacy: str | None) -> None:
    """Rejects a level that does not exist or is not searched; None was not asked for."""
    if privacy not in (None, "public", "premium", "thread"):
        raise Rejected(Code.InvalidRequest, "privacy is public, premium or thread.", field="privacy")


async def _count_search(request: AnyRequest, services: Services, viewer: str | None) -> None:
    limiter, caller = services.access.limiter, get_caller(request, viewer)
    await services.access.run(partial(limiter.use, caller, "search", services.searches_per_hour, services.clock_ms()))


def _hit_view(item: FoundMessage) -> HitView:
    return HitView(
        message=message_view(item.shown),
        title=item.title,
        score=item.hit.score,
        similarity=item.hit.similarity,
        keyword_score=item.hit.keyword_score,
        resonance=item.shown.resonance,
        proof=proof_route(item.shown.record.content_hash),
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
