"""A small network worth looking at: people who write about tides, cite one another, and have things to decide."""

from typing import NamedTuple

from tests.web.authors import Author, Authors
from tests.web.phrases import key_of_phrase, phrase_of

TIDES = """# Why the tides come twice a day

The moon pulls the near ocean more than the Earth, and the Earth more than the far ocean. What is left over is a
stretch along the line to the moon, with **two** bulges, not one:

$$a_{\\text{tide}} \\approx \\frac{2 G M r}{d^3}$$

The cube is what matters: the sun pulls 180 times as hard as the moon, and raises tides less than half as high.

| body | mass (kg) | distance (m) | tide, relative |
|---|---|---|---|
| Moon | 7.35e22 | 3.84e8 | 1.00 |
| Sun | 1.99e30 | 1.50e11 | 0.46 |"""
RESONANCE = """The two bulges alone would give tides of half a metre. [1] gives the force; the height at a coast is
decided by the
shape of the basin. Water in a gulf swings with a period of its own:

```python
def period_seconds(length_m: float, depth_m: float) -> float:
    \"\"\"The fundamental period of a gulf that is open at one end.\"\"\"
    return 4 * length_m / (9.81 * depth_m) ** 0.5
```

- The Bay of Fundy: about 13 hours, close to the moon's 12.4. Tides of 16 m.
- The Mediterranean: far from it. Tides of 30 cm.

> When the push comes at the rhythm of the swing, little pushes make a large swing."""
MILLS = """# Tide mills of the Atlantic coast

A gate lets the flood in and closes by itself when the water turns; at low tide the pond drives the wheel for five
hours.
The mill at [Eling](https://example.org/eling) still grinds. How much a pond gives follows from the range, see [1]."""
ENERGY = """A pond of area *A* and a range *R* hold $E = \\tfrac12 \\rho g A R^2$, so a site with twice the range
gives four times
as much. That is why [1] names resonant gulfs first, and why most coasts were never worth a barrage."""
SPEC = """Two corrections to the table: the sun's share is **0.46** only at mean distance, and the moon's varies by
30% between
perigee and apogee. Spring tides at perigee explain the highest floods on record; [1] has the force law."""
RTL = """# مد وجزر البحر الأحمر

المد في البحر الأحمر صغير لأن الحوض طويل وضيق ومدخله ضيق. انظر القانون في [1]."""


class Showcase(NamedTuple):
    """`phrase` is that of somebody who owns the first thread with another and has a spec to decide."""

    phrase: str
    me: Author
    tides: str
    mills: str
    arabic: str
    encrypted: str
    first: str
    reply: str
    mill: str
    spec: str


def make_showcase(authors: Authors) -> Showcase:
    phrase = phrase_of("showcase")
    me = authors.new("me", key_of_phrase(phrase))
    second, third = authors.new("showcase second"), authors.new("showcase third")
    tides = me.thread()
    first = me.post(tides, TIDES)
    reply = second.submit_spec(tides, RESONANCE, first, stake_choir=250)
    me.vote(reply, approve=True)
    mills = third.thread()
    mill = third.post(mills, MILLS, reply)
    third.post(mills, ENERGY, reply, mill)
    arabic = third.thread()
    third.post(arabic, RTL, first)
    encrypted = me.thread("bm90IGZvciBwZW9wbGU= " * 12, privacy="encrypted")
    me.thread("# Notes on a coming voyage\n\nOnly for those who sail with us.", privacy="thread")
    spec = third.submit_spec(tides, SPEC, first, stake_choir=400)
    return Showcase(phrase, me, tides, mills, arabic, encrypted, first, reply, mill, spec)
