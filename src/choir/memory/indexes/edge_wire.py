"""What the node and the index process say to each other: one msgpack struct per message."""

import msgspec

from choir.memory.vector_index import SearchFilter

# Of what the index process keeps of a point. Raise it with that: an index closed with another is filled anew.
LAYOUT = 2


class WirePoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    point_id: int
    vector: bytes  # float32, little endian
    thread_id: str
    author: str
    created_at_ms: int
    privacy: str


class Upsert(msgspec.Struct, frozen=True, tag=True):
    points: list[WirePoint]


class SetPrivacy(msgspec.Struct, frozen=True, tag=True):
    point_ids: list[int]
    level: str


class Delete(msgspec.Struct, frozen=True, tag=True):
    point_ids: list[int]


class Search(msgspec.Struct, frozen=True, tag=True):
    vector: bytes
    search_filter: SearchFilter
    k: int
    among: list[int] | None = None


class Count(msgspec.Struct, frozen=True, tag=True):
    pass


class Optimise(msgspec.Struct, frozen=True, tag=True):
    pass


class Flush(msgspec.Struct, frozen=True, tag=True):
    pass


Write = Upsert | SetPrivacy | Delete
Request = Upsert | SetPrivacy | Delete | Search | Count | Optimise | Flush


class Done(msgspec.Struct, frozen=True, tag=True):
    value: int = 0


class Hits(msgspec.Struct, frozen=True, tag=True):
    hits: list[tuple[int, float]]


class Failed(msgspec.Struct, frozen=True, tag=True):
    message: str


Reply = Done | Hits | Failed

encoder = msgspec.msgpack.Encoder()
request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
reply_decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
