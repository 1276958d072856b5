"""What is kept and shown of an epoch once it was measured. Fixed point in millionths, times in milliseconds."""

from msgspec import Struct


class ValidatorRecord(Struct, frozen=True, kw_only=True):
    """A validator at the end of an epoch: its agreement in it (A) and its score after it (Ψ)."""

    address: str
    agreement_millionths: int
    psi_millionths: int


class Checked(Struct, frozen=True, kw_only=True):
    """What this node looked at. ``records`` were sampled from the ledger, ``records_held`` of them were in the memory
    with their content; of ``challenges`` so many texts were read and hashed as they should; ``answers`` were expected
    of the vector index for all probes together, and so many ``answers_given``. ``problems`` counts by kind."""

    records: int
    records_held: int
    challenges: int
    challenges_met: int
    answers: int
    answers_given: int
    problems: dict[str, int] = {}


class EpochRecord(Struct, frozen=True, kw_only=True):
    """An epoch as one node saw it. ``height`` is the block that closed it, whose time is ``measured_at_ms``; ``seed``
    is the hash of the epoch's first block."""

    number: int
    started_at_ms: int
    ended_at_ms: int
    measured_at_ms: int
    height: int
    seed: str
    coherence_millionths: int
    attunement_millionths: int
    alpha_millionths: int
    validators: tuple[ValidatorRecord, ...]
    checked: Checked
