"""Keys: made, shown once as words, kept so that nothing can read them, and brought back."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.web.conftest import Visit
from tests.web.phrases import key_of_phrase, phrase_of

# Every record of every database of the origin. What is in a CryptoKey cannot be looked into: that is the point.
READ_DATABASES = """async () => {
  const opened = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await opened(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      for (const record of await opened(database.transaction(store).objectStore(store).getAll())) {
        for (const [field, value] of Object.entries(record)) {
          const isKey = value instanceof CryptoKey;
          const exporting = isKey && crypto.subtle.exportKey("pkcs8", value);
          const exported = exporting && (await exporting.then(() => "given", (error) => error.name));
          found.push({ database: name, field, isKey, exported, text: isKey ? "" : JSON.stringify(value),
                       type: value.type ?? null, extractable: value.extractable ?? null });
        }
      }
    }
    database.close();
  }
  return found;
}"""


def test_a_new_key_is_shown_as_words_once_and_cannot_be_read_out(visit: Visit) -> None:
    visitor = visit()
    page = visitor.go("/join")
    page.get_by_role("button", name="Make a key").click()
    words = page.locator("ol[translate=no] li")
    expect(words).to_have_count(24)
    phrase = " ".join(words.all_inner_texts())
    start = page.get_by_role("button", name="Start")
    expect(start).to_be_disabled()
    page.get_by_label("I have written the words down").check()
    start.click()
    address = visitor.own_address()
    # Another implementation makes the same address of the words.
    assert key_of_phrase(phrase).address == address
    page.reload()
    visitor.settle()
    expect(words).to_have_count(0)
    assert " ".join(phrase.split()[:2]) not in page.content()
    _check_nothing_secret(page, phrase)


def _check_nothing_secret(page: Page, phrase: str) -> None:
    found: list[Any] = page.evaluate(READ_DATABASES)
    private = [item for item in found if item["isKey"] and item["type"] == "private"]
    assert len(private) == 1
    assert private[0]["extractable"] is False
    assert private[0]["exported"] == "InvalidAccessError"
    seed = key_of_phrase(phrase).seed
    secrets = [phrase, seed.hex(), str(list(seed))[1:-1].replace(" ", "")]
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    for text in [stored, *(item["text"] for item in found)]:
        assert not any(secret in text for secret in secrets)
    # No field beside the key is long enough to hold it. What was read is kept elsewhere.
    beside = [item for item in found if item["database"] == private[0]["database"] and not item["isKey"]]
    assert all(len(item["text"]) < 60 for item in beside)


def test_the_words_bring_the_same_address_back(visit: Visit) -> None:
    phrase = phrase_of("restored")
    visitor = visit()
    typed = "\n".join(f"{number}. {word.upper()} " for number, word in enumerate(phrase.split(), 1))
    assert visitor.restore(typed) == key_of_phrase(phrase).address
    _check_nothing_secret(visitor.page, phrase)


def test_words_that_are_wrong_are_refused_with_the_reason(visit: Visit) -> None:
    page = visit().go("/join")
    page.get_by_role("button", name="I have 24 words").click()
    field = page.get_by_role("textbox", name="Your 24 words")
    words = phrase_of("wrong").split()
    for given, reason in (
        (["sesquipedalian", *words[1:]], "is not a word of the list"),
        (words[:23], "A phrase has 24 words"),
        ([words[1], words[0], *words[2:]], "The words do not fit together"),
    ):
        field.fill(" ".join(given))
        page.get_by_role("button", name="Bring my key back").click()
        expect(page.get_by_text(reason)).to_be_visible()
    assert page.evaluate("localStorage.getItem('choir.account')") is None


def test_a_key_outlives_the_tab_and_belongs_to_one_browser(visit: Visit) -> None:
    first, other = visit(), visit()
    address = first.join()
    again = first.context.new_page()
    again.goto("/join")
    expect(again.get_by_role("heading", name="This is you")).to_be_visible()
    assert again.evaluate("localStorage.getItem('choir.account')") == address
    other.go("/join")
    expect(other.page.get_by_role("button", name="Make a key")).to_be_visible()
