"""Reading proposals: every real one, and every kind of broken one."""

from pathlib import Path

import pytest

from choir.cli.importer.documents import DocumentError, parse_document, read_documents
from choir.cli.keyring import validate_name
from tests.support.proposals import find_proposals


def proposal(front: str, body: str = "## Abstract\nwhat\n## Motivation\nwhy\n") -> bytes:
    return f"---\n{front}\n---\n{body}".encode()


def test_every_real_proposal_is_read() -> None:
    documents, problems = read_documents(find_proposals())
    assert problems == []
    assert len(documents) == 1189
    assert all(len(document.sections) >= 2 for document in documents)
    for name in {author.key_name for document in documents for author in document.authors}:
        validate_name(name)
    by_number = {document.number: document for document in documents}
    fees = by_number["1559"]
    assert fees.requires == ("2718", "2930")
    assert fees.sections[fees.abstract_index].title == "Abstract"
    assert [author.key_name for author in fees.authors][:2] == ["@vbuterin", "@econoar"]


def test_the_first_section_is_title_and_front_matter() -> None:
    document = parse_document("a/eip-7.md", proposal("eip: 7\ntitle: Seven\ndescription: Short.\nauthor: A (@a)"))
    assert document.sections[0].text == "# eip-7: Seven\n\nShort.\n\n- eip: 7\n- author: A (@a)"
    assert [section.title for section in document.sections] == ["", "Abstract", "Motivation"]
    assert document.abstract_index == 1


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ("1", ("1",)),
        ("1, 2,2", ("1", "2")),
        ("[1, EIP-2]", ("1", "2")),
        ("\n  - 1\n  - other-name", ("1", "other-name")),
        ("", ()),
    ],
)
def test_requirements(requires: str, expected: tuple[str, ...]) -> None:
    assert parse_document("x.md", proposal(f"author: A\nrequires: {requires}")).requires == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"# no front matter", "no front matter"),
        (b"", "no front matter"),
        (b"---\nauthor: A\nno end", "no front matter"),
        (proposal("author: [unclosed"), "broken front matter"),
        (proposal("title: a: b: c"), "broken front matter"),
        (proposal("- a list"), "not a list of names"),
        (proposal("title: nobody"), "no author"),
        (proposal("author: '  '"), "no author"),
        (proposal("author: !!python/object:os.system x"), "broken front matter"),
        (b"---\nauthor: \xff\n---\n", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse_document("x.md", raw)


def test_line_ends_marks_and_normal_forms_do_not_matter() -> None:
    plain = parse_document("x.md", proposal("author: A", "## Abstract\ncaf\u00e9\n"))
    odd = parse_document("x.md", b"\xef\xbb\xbf" + "---\r\nauthor: A\r\n---\r\n## Abstract\r\ncafe\u0301\r\n".encode())
    assert odd == plain


def test_a_directory_is_read_in_natural_order_and_broken_files_are_reported(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("eip-10.md", "eip-2.md", "sub/eip-1.md"):
        (tmp_path / name).write_bytes(proposal("author: A"))
    (tmp_path / "eip-3.md").write_bytes(b"broken")
    (tmp_path / "notes.txt").write_bytes(b"ignored")
    documents, problems = read_documents(tmp_path)
    assert [document.source for document in documents] == ["eip-2.md", "eip-10.md", "sub/eip-1.md"]
    assert [problem.source for problem in problems] == ["eip-3.md"]
