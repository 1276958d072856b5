"""Choosing the sentences of the priors that answer a question best. Deterministic: equal input, equal choice.

A sentence's score is BM25's, over the sentences of all priors, for the question's terms. Terms of the heading above it
and of its thread's title count in part, since what a sentence is about often stands only there. The place of the
sentence, the prior's own score and what the question's first word asks for weigh a little. Then sentences are taken one
by one, each for its score less its likeness to those taken (maximal marginal relevance).
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from choir.chorus.events import PriorView
from choir.chorus.models.terms import content_terms, text_terms
from choir.chorus.priors import find_names, is_named
from choir.chorus.sentences import Sentence, split_sentences

MAX_SENTENCES: Final = 6
MAX_PER_PRIOR: Final = 2
MIN_COVERAGE: Final = 0.34
MIN_ANSWER_COVERAGE: Final = 0.5
_FEW_SENTENCES: Final = 20  # fewer tell little of how rare a word is
_NAMED_FACTOR: Final = 2.0
_K1: Final = 1.2
_B: Final = 0.6
_AROUND_SHARE: Final = 0.5
_LIKENESS_COST: Final = 0.6
_MIN_SHARE_OF_BEST: Final = 0.45
_TYPICAL_WORDS: Final = (7, 45)
# A sentence that begins so speaks of the one before it.
_LEANING: Final = re.compile(
    r"(?:this|that|these|those|it|its|they|their|such|he|she|however|therefore|thus|hence|also|but|and|so|instead|"
    r"otherwise|similarly|moreover|furthermore|additionally|in this|in that|for this|as such|the former|the latter|"
    r"then|here|both|doing so)\b",
    re.IGNORECASE,
)
_STOPS: Final = tuple(".!。！”\"')")
# Fewer letters, or more names of variables, are a formula, a table's rest or a list of values.
_MIN_LETTERS: Final = 0.8
_MAX_UNDERSCORES: Final = 3
# What points elsewhere, or is no sentence in a reader's sense.
_POINTER: Final = re.compile(r"https?://|^see (?:also|the|below|above)\b|[;:?,]$", re.IGNORECASE)
_CUES: Final = {
    "why": re.compile(
        r"\b(?:because|since|so that|in order to|therefore|thus|reasons?|otherwise|prevents?|avoids?|allows?|enables?|"
        r"ensures?|due to|motivation|would (?:be|have)|instead of|rather than|problem|as a result)\b",
        re.IGNORECASE,
    ),
    "how": re.compile(r"\b(?:by|using|via|through|when|first|then|must|computed?|calculated?|steps?)\b", re.IGNORECASE),
    "what": re.compile(r"\b(?:is an?|are|introduces?|defines?|means?|adds?|proposes?|refers? to)\b", re.IGNORECASE),
}
_CUE_HEADINGS: Final = {
    "why": re.compile(r"motivation|rationale|why|background|problem", re.IGNORECASE),
    "how": re.compile(r"specification|abstract|how|algorithm|mechanism|overview", re.IGNORECASE),
    "what": re.compile(r"abstract|summary|what|overview|introduction|definition", re.IGNORECASE),
}


class Pick(Struct, frozen=True):
    """A chosen passage: one sentence, with the one before it where it leans on that."""

    prior: PriorView
    quote: str
    plain: str


class Selection(Struct, frozen=True):
    """``coverage`` 0…1: the share of the question's terms, weighed by rarity, that the picks (with their titles) hold.
    ``missing``: the question's words that none of them holds."""

    picks: tuple[Pick, ...]
    coverage: float
    missing: tuple[str, ...]


class _Candidate(Struct):
    prior: PriorView
    sentence: Sentence
    before: Sentence | None
    counts: Counter[str]
    around: frozenset[str]
    score: float = 0.0


def select_sentences(question: str, priors: Sequence[PriorView]) -> Selection:
    """The passages that answer ``question`` best, best first. None where nothing in the priors is about it."""
    asked = content_terms(question)
    wanted = asked if _has_topic(question, asked) else asked | _title_terms(question, priors)
    candidates = _find_candidates(priors)
    weights = _weigh_terms(wanted, candidates)
    _score(question, wanted, weights, candidates)
    taken = _take(_topic(question, weights), candidates)
    if _coverage(taken, weights) < MIN_ANSWER_COVERAGE:
        taken = []  # sentences that hold some of the words by chance
    coverage = _coverage(taken, weights)
    held = frozenset(term for one in taken for term in (*one.counts, *one.around))
    missing = tuple(word for term, word in asked.items() if term not in held)
    return Selection(tuple(_pick(one, taken) for one in taken), round(coverage, 4), missing)


def _find_candidates(priors: Sequence[PriorView]) -> list[_Candidate]:
    found = []
    for prior in priors:
        sentences = split_sentences(prior.text)
        title = frozenset(text_terms(prior.title or ""))
        for place, sentence in enumerate(sentences):
            before = sentences[place - 1] if place and sentences[place - 1].paragraph == sentence.paragraph else None
            around = title | frozenset(text_terms(sentence.heading))
            found.append(_Candidate(prior, sentence, before, Counter(text_terms(sentence.plain)), around))
    return found


def _weigh_terms(wanted: Sequence[str] | dict[str, str], candidates: Sequence[_Candidate]) -> dict[str, float]:
    """Inverse document frequency over sentences. A term that no sentence holds is as rare as can be: it is missing."""
    frequencies = Counter(term for one in candidates for term in one.counts)
    total = max(len(candidates), _FEW_SENTENCES)
    return {term: math.log(1 + (total - frequencies[term] + 0.5) / (frequencies[term] + 0.5)) + 0.1 for term in wanted}


def _name_terms(question: str) -> set[str]:
    return {term for name in find_names(question) for term in text_terms(name)}


def _has_topic(question: str, asked: dict[str, str]) -> bool:
    return not asked.keys() <= _name_terms(question)


def _title_terms(question: str, priors: Sequence[PriorView]) -> dict[str, str]:
    """What the thread that a question names is about: "What is EIP-4844?" itself says nothing of blobs."""
    title = next((prior.title for prior in priors if prior.title and is_named(prior.title, question)), "")
    return content_terms(title) if title else {}


def _topic(question: str, weights: dict[str, float]) -> dict[str, float]:
    """The terms without those of names, where others are left: that a sentence is of the EIP-4844 that is asked about
    does not make it an answer."""
    names = _name_terms(question)
    return {term: weight for term, weight in weights.items() if term not in names} or weights


def _score(question: str, wanted: dict[str, str], weights: dict[str, float], candidates: Sequence[_Candidate]) -> None:
    if not candidates:
        return
    mean = sum(one.counts.total() for one in candidates) / len(candidates)
    asked = next((word for word in question.casefold().split() if word in _CUES), None)
    top = max(one.prior.score for one in candidates) or 1.0
    for one in candidates:
        length = _K1 * (1 - _B + _B * one.counts.total() / mean)
        own = sum(
            weights[term] * count * (_K1 + 1) / (count + length) for term in wanted if (count := one.counts[term])
        )
        near = sum(weights[term] for term in wanted if term in one.around and not one.counts[term])
        named = _NAMED_FACTOR if is_named(one.prior.title, question) else 1.0
        rank = 0.8 + 0.2 * one.prior.score / top
        one.score = (own + _AROUND_SHARE * near) * _form(one, asked) * named * rank if own else 0.0


def _form(one: _Candidate, asked: str | None) -> float:
    """What a sentence's place, length and manner add."""
    factor = 1.0 + 0.1 / (1 + one.sentence.place)
    words = len(one.sentence.plain.split())
    shortest, longest = _TYPICAL_WORDS
    if words < shortest:
        factor *= 0.6
    elif words > longest:
        factor *= 0.85
    if _POINTER.search(one.sentence.plain):
        factor *= 0.4
    if not one.sentence.plain.endswith(_STOPS):
        factor *= 0.55
    if _is_formula(one.sentence.plain):
        factor *= 0.4
    if asked is not None:
        factor *= 1.25 if _CUES[asked].search(one.sentence.plain) else 1.0
        factor *= 1.15 if _CUE_HEADINGS[asked].search(one.sentence.heading) else 1.0
    if _LEANING.match(one.sentence.plain) and one.before is None:
        factor *= 0.7
    return factor


def _is_formula(plain: str) -> bool:
    letters = sum(char.isalpha() or char.isspace() for char in plain)
    return letters < _MIN_LETTERS * len(plain) or plain.count("_") > _MAX_UNDERSCORES


def _take(weights: dict[str, float], candidates: Sequence[_Candidate]) -> list[_Candidate]:
    pool = [one for one in candidates if one.score > 0 and _coverage([one], weights) >= MIN_COVERAGE]
    if not pool:
        return []
    best = max(one.score for one in pool)
    pool = [one for one in pool if one.score >= _MIN_SHARE_OF_BEST * best]
    taken: list[_Candidate] = []
    per_prior: Counter[str] = Counter()
    while pool and len(taken) < MAX_SENTENCES:
        chosen = max(pool, key=lambda one: one.score - _LIKENESS_COST * best * _likest(one, taken))
        pool.remove(chosen)
        if per_prior[chosen.prior.id] >= MAX_PER_PRIOR or _likest(chosen, taken) > 0.6:
            continue
        per_prior[chosen.prior.id] += 1
        taken.append(chosen)
    return taken


def _coverage(taken: Sequence[_Candidate], weights: dict[str, float]) -> float:
    """The share of the question's terms in the sentences; those only in their headings and titles count half."""
    own = {term for one in taken for term in one.counts}
    around = {term for one in taken for term in one.around}
    total = sum(weights.values())
    held = sum(weight if term in own else weight / 2 if term in around else 0.0 for term, weight in weights.items())
    return held / total if total else 0.0


def _likest(one: _Candidate, taken: Sequence[_Candidate]) -> float:
    """The greatest share of words in common with a taken sentence."""
    return max((_overlap(one.counts, other.counts) for other in taken), default=0.0)


def _overlap(left: Counter[str], right: Counter[str]) -> float:
    return len(left.keys() & right.keys()) / len(left.keys() | right.keys())


def _pick(one: _Candidate, taken: Sequence[_Candidate]) -> Pick:
    """With the sentence before it where it leans on that, unless that is taken itself."""
    before, sentence = one.before, one.sentence
    is_taken = any(other.sentence == before and other.prior.id == one.prior.id for other in taken)
    if before is None or is_taken or not _LEANING.match(sentence.plain):
        return Pick(one.prior, one.prior.text[sentence.start : sentence.end], sentence.plain)
    return Pick(one.prior, one.prior.text[before.start : sentence.end], f"{before.plain} {sentence.plain}")
