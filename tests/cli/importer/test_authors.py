"""Author lines, as people write them."""

import pytest

from choir.cli.importer.authors import Author, parse_authors
from choir.cli.keyring import validate_name


@pytest.mark.parametrize(
    ("line", "key_names"),
    [
        ("Vitalik Buterin (@vbuterin)", ["@vbuterin"]),
        ("A B (@Upper-Case), C D <c.d@Example.org>", ["@upper-case", "mail:c.d@example.org"]),
        ("A B <a@b.org> (@ab)", ["@ab"]),
        ("Wizard  Wang", ["name:wizard wang"]),
        ("Martin Becze <mb@ethereum.org>, et al.", ["mail:mb@ethereum.org"]),
        ("A (@a), Somebody Else (@A)", ["@a"]),
        ("", []),
        (" , ,", []),
        (["A (@a)", "B <b@c.d>"], ["@a", "mail:b@c.d"]),
        (None, []),
        (12, ["name:12"]),
        ("Łukasz O'Neil", ["name:łukasz o'neil"]),
        ("odd/chars|<>", ["name:odd_chars_"]),
    ],
)
def test_identities(line: object, key_names: list[str]) -> None:
    authors = parse_authors(line)
    assert [author.key_name for author in authors] == key_names
    for author in authors:
        validate_name(author.key_name)


def test_names_are_kept_for_people() -> None:
    assert parse_authors("Vitalik Buterin (@vbuterin)") == (Author(key_name="@vbuterin", name="Vitalik Buterin"),)
