"""The chain as a whole: its head, parameters, treasury, genesis and blocks."""

from litestar import Response, Router, get
from msgspec import Struct

from choir.api.answers import Answer, AnyRequest, answer, not_found
from choir.api.services import get_services
from choir.ledger.blocks import Header, Receipt
from choir.ledger.entities import Epoch
from choir.ledger.genesis import Genesis, genesis_hash
from choir.ledger.params import Params


class TreasuryView(Struct, frozen=True, kw_only=True):
    balance: str
    new_message_pool: str
    prior_pool: str


class NetworkView(Struct, frozen=True, kw_only=True):
    chain_id: str
    genesis_hash: str
    height: int
    time_ms: int
    app_hash: str
    engine: str
    validators: tuple[str, ...]
    node: str
    version: str
    is_development: bool
    is_paused: bool
    epoch: Epoch
    params: Params
    treasury: TreasuryView


class BlockView(Struct, frozen=True, kw_only=True):
    header: Header
    signature: str
    tx_hashes: list[str]
    receipts: list[Receipt]


@get("/network")
async def get_network(request: AnyRequest) -> Response[Answer[NetworkView]]:
    """The chain's head and rules, as this node has committed them."""
    services = get_services(request.app)
    genesis = services.engine.genesis
    with services.engine.read() as state:
        chain, treasury = state.chain, state.treasury
        view = NetworkView(
            chain_id=chain.chain_id,
            genesis_hash=genesis_hash(genesis),
            height=chain.height,
            time_ms=chain.time_ms,
            app_hash=state.app_hash,
            engine=services.engine.name,
            validators=genesis.validators,
            node=services.node_name,
            version=services.version,
            is_development=services.faucet is not None,
            is_paused=chain.is_paused,
            epoch=state.epoch,
            params=state.params,
            treasury=TreasuryView(
                balance=str(treasury.balance),
                new_message_pool=str(treasury.new_message_pool),
                prior_pool=str(treasury.prior_pool),
            ),
        )
    return answer(request, view)


@get("/genesis")
async def get_genesis(request: AnyRequest) -> Response[Answer[Genesis]]:
    """The first document of the chain: save it to verify proofs offline."""
    return answer(request, get_services(request.app).engine.genesis)


@get("/block/{height:int}")
async def get_block(request: AnyRequest, height: int) -> Response[Answer[BlockView]]:
    """A block: its signed header, the hashes of its transactions, and their receipts."""
    found = await get_services(request.app).engine.block(height) if 0 <= height < 2**62 else None
    if found is None:
        raise not_found()
    view = BlockView(
        header=found.signed_header.header,
        signature=found.signed_header.signature,
        tx_hashes=found.tx_hashes,
        receipts=found.receipts,
    )
    return answer(request, view)


router = Router("/", route_handlers=[get_network, get_genesis, get_block], tags=["network"])
