"""The six steps and what each of them gives: action, experience, intention, observation, update, yield.

Every output is data from a language model: bounded here, so that no answer of a model, however long, costs more.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_RESPONSE_CHARACTERS: Final = 32_768
MAX_ITEM_CHARACTERS: Final = 2_000
MAX_ITEMS: Final = 32

Share = Annotated[float, Meta(ge=0, le=1)]
Response = Annotated[str, Meta(min_length=1, max_length=MAX_RESPONSE_CHARACTERS)]
Item = Annotated[str, Meta(max_length=MAX_ITEM_CHARACTERS)]
Items = Annotated[tuple[Item, ...], Meta(max_length=MAX_ITEMS)]


class Step(StrEnum):
    """The steps in their order."""

    ACTION = "action"
    EXPERIENCE = "experience"
    INTENTION = "intention"
    OBSERVATION = "observation"
    UPDATE = "update"
    YIELD = "yield"


class Citation(Struct, frozen=True):
    """``prior`` is an id that was given to the model (``p1``, ``p2``, …), ``quote`` words that stand in its text."""

    prior: Annotated[str, Meta(max_length=16)]
    quote: Item


Citations = Annotated[tuple[Citation, ...], Meta(max_length=MAX_ITEMS)]


class Output(Struct, frozen=True, tag_field="step"):
    """What a step gave."""


class Action(Output, frozen=True, tag="action"):
    """The first answer, before anything is looked up. ``confidence`` 0…1."""

    initial_response: Response
    confidence: Share


class Experience(Output, frozen=True, tag="experience"):
    """What the network remembers about it: which priors matter, and what they say together."""

    citations: Citations
    patterns: Items
    insights: Items


class Intention(Output, frozen=True, tag="intention"):
    """What the asker is after, within which limits."""

    goals: Items
    constraints: Items
    expected_outcomes: Items


class Observation(Output, frozen=True, tag="observation"):
    """What the answer so far lacks. ``quality`` 0…1 is that of the answer so far."""

    analysis: Response
    patterns: Items
    quality: Share


class Update(Output, frozen=True, tag="update"):
    """What changes. ``loop`` asks for another round from action on."""

    refinements: Items
    learnings: Items
    loop: bool


class Yield(Output, frozen=True, tag="yield"):
    """The answer. ``[p1]`` in ``final_response`` refers to the prior ``p1``; every such mark has its citation."""

    final_response: Response
    citations: Citations
    confidence: Share


AnyOutput = Action | Experience | Intention | Observation | Update | Yield
OUTPUT_OF: Final[dict[Step, type[AnyOutput]]] = {
    Step.ACTION: Action,
    Step.EXPERIENCE: Experience,
    Step.INTENTION: Intention,
    Step.OBSERVATION: Observation,
    Step.UPDATE: Update,
    Step.YIELD: Yield,
}
