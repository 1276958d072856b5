"""The chain as a whole: its head, parameters, treasury, genesis and blocks."""

from litestar import Response, Router, get
from msgspec import Struct

from choir.api.answers import Answer, AnyRequest, Page, answer, not_found
from choir.api.cursors import before_cursor, next_cursor
from choir.api.parameters import Cursor, Limit
from choir.api.services import get_services
from choir.coherence.records import EpochRecord
from choir.ledger.blocks import Header, Receipt
from choir.ledger.entities import Epoch
from choir.ledger.genesis import Genesis, genesis_hash
from choir.ledger.params import Params


class TreasuryView(Struct, frozen=True, kw_only=True):
    balance: str
    new_message_pool: str
    prior_pool: str


class NetworkView(Struct, frozen=True, kw_only=True):
    """``coherence_millionths`` (Ĉ) and ``attunement_millionths`` (λ) are of ``measured_epoch``, the last one that this
    node has measured; null before the first."""

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
    measured_epoch: int | None
    coherence_millionths: int | None
    attunement_millionths: int | None


class ValidatorView(Struct, frozen=True, kw_only=True):
    """A validator of the genesis. ``psi_millionths`` (Ψ) is its score after ``measured_epoch`` and
    ``agreement_millionths`` (A) what it came to in it; null where this node has measured nothing of it."""

    address: str
    is_this_node: bool
    measured_epoch: int | None
    psi_millionths: int | None
    agreement_millionths: int | None


class BlockView(Struct, frozen=True, kw_only=True):
    header: Header
    signature: str
    tx_hashes: list[str]
    receipts: list[Receipt]


@get("/network")
async def get_network(request: AnyRequest) -> Response[Answer[NetworkView]]:
    """The chain's head and rules, as this node has committed them."""
    services = get_services(request.app)
    genesis, measured = services.engine.genesis, services.coherence.latest
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
            measured_epoch=None if measured is None else measured.number,
            coherence_millionths=None if measured is None else measured.coherence_millionths,
            attunement_millionths=None if measured is None else measured.attunement_millionths,
        )
    return answer(request, view)


@get("/validators")
async def get_validators(request: AnyRequest) -> Response[Answer[list[ValidatorView]]]:
    """The validators, with their scores as this node has measured them."""
    services = get_services(request.app)
    measured = services.coherence.latest
    scored = {} if measured is None else {validator.address: validator for validator in measured.validators}
    views = [
        ValidatorView(
            address=address,
            is_this_node=address == services.own_address,
            measured_epoch=measured.number if measured is not None and address in scored else None,
            psi_millionths=scored[address].psi_millionths if address in scored else None,
            agreement_millionths=scored[address].agreement_millionths if address in scored else None,
        )
        for address in services.engine.genesis.validators
    ]
    return answer(request, views)


@get("/epochs")
async def list_epochs(
    request: AnyRequest, cursor: Cursor = None, limit: Limit = 50
) -> Response[Answer[Page[EpochRecord]]]:
    """The epochs that this node has measured, newest first."""
    epochs = list(await get_services(request.app).coherence.epochs(before_cursor(cursor), limit))
    return answer(request, Page(items=epochs, next_cursor=next_cursor([epoch.number for epoch in epochs], limit)))


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


router = Router(
    "/", route_handlers=[get_network, get_validators, list_epochs, get_genesis, get_block], tags=["network"]
)
