"""Edwards25519 in plain integers (RFC 8032 section 5.1): slow, small, and independent of any library."""

from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    """The complete addition law of −x² + y² = 1 + d·x²·y²."""
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x3 = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y3 = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x3, y3


def multiply(scalar: int, point: Point) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def x_of(y: int) -> int | None:
    """An x with (x, y) on the curve, or None."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * SQRT_MINUS_ONE % P
    return x if x * x % P == square else None


def torsion_points() -> set[Point]:
    """The eight points whose order divides 8: multiples of L times a point that lies outside the prime subgroup."""
    y = 2
    while True:
        x = x_of(y)
        if x is not None:
            generator = multiply(L, (x, y))
            points = {multiply(k, generator) for k in range(8)}
            if len(points) == 8:
                return points
        y += 1


def sign(seed: bytes, message: bytes, base: Point) -> bytes:
    """RFC 8032 section 5.1.6, step by step."""
    digest = sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    public = encode(multiply(scalar, base))
    r = int.from_bytes(sha512(digest[32:] + message).digest(), "little") % L
    commitment = encode(multiply(r, base))
    k = int.from_bytes(sha512(commitment + public + message).digest(), "little") % L
    return commitment + ((r + k * scalar) % L).to_bytes(32, "little")


def encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def base_point() -> Point:
    y = 4 * pow(5, -1, P) % P
    x = x_of(y)
    assert x is not None
    return (x if x % 2 == 0 else P - x), y
