"""One search of the index process by a thread that has other work while the process is at it.

The similarities of messages that keywords found need no index. They come from the records, in the time that the process
takes for the nearest: asked of the process too, they would come after these.
"""

from collections.abc import Callable, Sequence

from choir.memory.indexes.edge_process import EdgeProcess
from choir.memory.indexes.edge_wire import Hits, Search
from choir.memory.vector_index import IndexUnavailable, ScoredId, SearchFilter, StoredSimilarities, Vector


class EdgeQuestion:
    """Implements `Asked`. ``serving`` gives the process that answers now, or raises IndexUnavailable."""

    def __init__(
        self,
        serving: Callable[[], EdgeProcess],
        stored: StoredSimilarities,
        vector: Vector,
        search_filter: SearchFilter,
        k: int,
        seconds: float,
    ) -> None:
        self._serving = serving
        self._stored = stored
        self._vector = vector
        self._filter = search_filter
        self._request = Search(vector.astype("<f4").tobytes(), search_filter, k)
        self._seconds = seconds
        self._process: EdgeProcess | None = None
        self._number: int | IndexUnavailable = 0

    def begin(self) -> bool:
        self._send()
        return True

    def similarities(self, named: Sequence[int]) -> dict[int, float]:
        of_named = self._stored(self._vector, self._filter, named)
        try:
            nearest = self._received()
        except IndexUnavailable:
            if self._serving() is self._process:
                raise
            # Another process took its place meanwhile, with a new graph perhaps: it is asked the same.
            self._send()
            nearest = self._received()
        return dict(of_named) | dict(nearest)

    def _send(self) -> None:
        self._process = self._serving()
        try:
            self._number = self._process.send_directly(self._request, self._seconds)
        except IndexUnavailable as error:
            self._number = error  # for `similarities`, which may know another process

    def _received(self) -> list[ScoredId]:
        assert self._process is not None
        if isinstance(self._number, IndexUnavailable):
            raise self._number
        reply = self._process.receive_directly(self._number, self._seconds)
        assert isinstance(reply, Hits)
        return reply.hits
