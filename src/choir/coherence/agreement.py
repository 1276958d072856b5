"""From what is compared to one number for a validator, and from those to one for the network (design: coherence)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from choir.coherence.fixed import ONE, mean, share

Answers = Sequence[Sequence[int | str]]


class ShardAgreement(NamedTuple):
    """``held``: J, does the validator hold what the others do. ``found``: Q, does it find what they find."""

    held: int
    found: int


def probe_agreement(own: Answers, reference: Answers) -> int:
    """Q: the share of the reference's answers that are among one's own, over all probes; `ONE` where it names nothing.
    Raises ``ValueError`` when the numbers of probes differ."""
    named = sum(len(set(expected) & set(found)) for found, expected in zip(own, reference, strict=True))
    return share(named, sum(len(set(expected)) for expected in reference))


def proven_agreement(sketched: int, challenges_met: int, challenges: int) -> int:
    """J, believed only as far as the challenges bear it out: the lesser of what the sketch says is held and the share
    of challenged records that were there and right."""
    return min(sketched, share(challenges_met, challenges))


def agreement(shards: Sequence[ShardAgreement]) -> int:
    """A: the mean of (J + Q) / 2 over the shards that a validator holds; one that holds none misses nothing."""
    return mean([shard.held + shard.found for shard in shards]) // 2 if shards else ONE


def coherence_density(agreements: Mapping[str, int], stakes: Mapping[str, int]) -> int:
    """Ĉ: the mean agreement over all active stake; who is not in ``agreements`` has none, and neither has a network
    without stake."""
    total = sum(stakes.values())
    weighed = sum(stake * agreements.get(validator, 0) for validator, stake in stakes.items())
    return weighed // total if total else 0
