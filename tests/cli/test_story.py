"""The README's story on a real node, and how commands end."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from choir.primitives.signatures import SigningKey
from tests.cli.conftest import Choir


def test_the_whole_story(online: Choir, tmp_path: Path) -> None:
    choir = online
    for name in ("alice", "bob"):
        assert choir("key", "new", name).code == 0
        assert choir("faucet", name, "--json").document["amount"] == "10000000000"
    thread = choir("thread", "create", "# On bees\n\nThey dance.", "--as", "alice").out.strip()
    spec = choir("spec", "submit", thread, "They sing, too.", "--stake", "100", "--as", "bob").out.strip()
    waiting = choir("spec", "list", "--voter", "alice", "--status", "open", "--json").document["items"]
    assert [found["spec_id"] for found in waiting] == [spec]
    assert choir("spec", "approve", spec, "--as", "alice").out.strip() == "approved; the spec is approved"
    account = choir("account", "alice", "--json").document
    assert account["balance"] == "10100000000"
    shown = choir("thread", "show", thread)
    assert "They dance." in shown.out
    assert "They sing, too." in shown.out
    assert shown.out.count("co-author ") == 2
    other = choir("thread", "create", "--as", "bob").out.strip()
    cited = choir("message", "post", other, "See there.", "--prior", spec, "--as", "bob").out.strip()
    assert choir("message", "show", cited, "--json").document["priors"] == [spec]
    proof, genesis = tmp_path / "proof.json", tmp_path / "genesis.json"
    choir("message", "proof", spec, "-o", str(proof))
    choir("genesis", "-o", str(genesis))
    verified = choir("verify", str(proof), "--genesis", str(genesis))
    assert verified.code == 0
    assert "They sing, too." in verified.out
    refused = choir("token", "divest", thread, "1", "--as", "alice")
    assert refused.code == 1
    assert "BelowMinimumBalance" in refused.err


def test_divesting_what_a_denied_spec_left(online: Choir) -> None:
    choir = online
    choir("key", "new", "alice")
    choir("key", "new", "bob")
    choir("faucet", "bob")
    thread = choir("thread", "create", "--as", "alice").out.strip()
    spec = choir("spec", "submit", thread, "no", "--as", "bob").out.strip()
    assert choir("spec", "deny", spec, "--as", "alice", "--json").document["status"] == "denied"
    divested = choir("token", "divest", thread, "90", "--as", "alice", "--json").document
    assert divested["amount"] == "90000000"
    assert choir("account", "alice", "--json").document["balance"] == "90000000"
    assert "CooldownActive" in choir("token", "divest", thread, "0.000001", "--as", "alice").err


def test_every_other_command(online: Choir, monkeypatch: pytest.MonkeyPatch) -> None:
    choir = online
    for name in ("alice", "bob"):
        choir("key", "new", name)
        choir("faucet", name)
    sent = choir("token", "transfer", "bob", "2.5", "--as", "alice", "--json").document
    assert sent["amount"] == "2500000"
    tx_hash = sent["receipt"]["tx_hash"]
    assert choir("tx", tx_hash, "--json").document["receipt"] == sent["receipt"]
    assert "transfer" in choir("tx", tx_hash).out
    assert choir("token", "premium", "1", "--as", "bob", "--json").document["premium_until_ms"] > 0
    thread = choir("thread", "create", "--as", "alice", "--privacy", "thread").out.strip()
    listed = choir("thread", "list", "--co-author", "alice", "--json").document["items"]
    assert [item["thread_id"] for item in listed] == [thread]
    assert thread in choir("thread", "list", "--co-author", "alice").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"- from\r\n- stdin")))
    message = choir("message", "post", thread, "-", "--privacy", "public", "--as", "alice").out.strip()
    assert choir("message", "show", message, "--json").document["text"] == "- from\n- stdin"
    assert choir("message", "set-privacy", message, "premium", "--as", "alice").code == 0
    assert choir("message", "erase", message, "--as", "alice").code == 0
    assert "(erased)" in choir("message", "show", message).out
    spec = choir("spec", "submit", thread, "- a list", "--as", "bob").out.strip()
    assert spec in choir("spec", "list", "--author", "bob").out
    assert choir("spec", "withdraw", spec, "--as", "bob", "--json").document["status"] == "withdrawn"
    status = choir("network", "status", "--json").document
    assert status["is_development"] is True
    assert status["chain_id"] in choir("network", "status").out
    assert choir("network", "epochs", "--json").document["items"] == []
    assert "not measured yet" in choir("network", "validators").out
    for words in (["transfer", "bob", "1"], ["parameter", "minimum_stake", "1"], ["pause"], ["resume"]):
        assert "NotCouncilMember" in choir("council", "propose", *words, "--as", "alice").err
    assert "NotCouncilMember" in choir("council", "endorse", "ab" * 32, "--as", "alice").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], 2, "nonsense"),
        (["key"], 0, ""),
        (["key", "new"], 2, "NAME"),
        (["key", "new", "a", "b"], 2, "b"),
        (["thread", "create"], 2, "--as"),
        (["thread", "create", "--as", "nobody"], 4, "choir key new"),
        (["account", SigningKey(bytes(32)).address], 3, "choir up"),
        (["--node", "nonsense", "network", "status"], 2, "http://"),
        (["token", "transfer", "bob", "1.1234567", "--as", "alice"], 2, "decimals"),
        (["verify", "/does/not/exist"], 2, "cannot read"),
        (["import", "/does/not/exist"], 2, "no proposal"),
        (["import", ".", "--limit", "0"], 2, "--limit"),
        (["thread", "create", "\udcff", "--as", "alice"], 2, "UTF-8"),
        (["--help"], 0, ""),
        (["--version"], 0, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_how_commands_end_without_a_node(choir: Choir, arguments: list[str], code: int, said: str) -> None:
    ran = choir(*arguments)
    assert ran.code == code
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["thread", "show", "ab" * 16],
        ["message", "show", "ab" * 32],
        ["tx", "ab" * 32],
        ["message", "proof", "ab" * 32],
        ["thread", "show", "../network"],
        ["thread", "show", "a/b?c=d#e"],
        ["tx", "\u2026"],
    ],
    ids=" ".join,
)
def test_what_is_not_there(online: Choir, arguments: list[str]) -> None:
    ran = online(*arguments)
    assert ran.code == 1
    assert "NotFound" in ran.err
    assert ran.out == ""


def change(path: str) -> Callable[[dict[str, Any]], None]:
    """A change of one text in a proof, by its path."""

    def apply(proof: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            proof = proof[parent]
        value = proof[last]
        proof[last] = value + 1 if isinstance(value, int) else value[:-1] + ("a" if value[-1] != "a" else "b")

    return apply


@pytest.fixture
def proof_file(online: Choir, tmp_path: Path) -> Path:
    online("key", "new", "alice")
    thread = online("thread", "create", "--as", "alice").out.strip()
    message = online("message", "post", thread, "to be proven", "--as", "alice").out.strip()
    file = tmp_path / "proof.json"
    online("message", "proof", message, "--output", str(file))
    return file


@pytest.mark.parametrize(
    "path",
    ["content.text", "content.salt", "receipt.tx_hash", "receipt.height", "transaction.nonce", "total"]
    + [f"signed_header.{part}" for part in ("signature", "header.app_hash", "header.data_hash", "header.chain_id")],
)
def test_a_changed_proof_does_not_hold(choir: Choir, proof_file: Path, path: str) -> None:
    proof = json.loads(proof_file.read_text())
    change(path)(proof)
    proof_file.write_text(json.dumps(proof))
    ran = choir("verify", str(proof_file), "--trust-signer")
    assert ran.code == 5
    assert ran.out == ""


def test_whom_a_proof_is_checked_against(online: Choir, proof_file: Path, tmp_path: Path) -> None:
    genesis = tmp_path / "genesis.json"
    online("genesis", "-o", str(genesis))
    file = str(proof_file)
    signer = json.loads(proof_file.read_text())["signed_header"]["header"]["proposer"]
    unchecked = online("verify", file)
    assert unchecked.code == 5
    assert signer in unchecked.err
    assert "--genesis" in unchecked.err
    assert online("verify", file, "--validator", signer).code == 0
    assert online("verify", file, "--genesis", str(genesis), "--json").document["is_signer_checked"] is True
    trusted = online("verify", file, "--trust-signer", "--json").document
    assert (trusted["is_valid"], trusted["is_signer_checked"]) == (True, False)
    stranger = SigningKey.generate().address
    assert "not a trusted validator" in online("verify", file, "--validator", stranger).err
    other = json.loads(genesis.read_text()) | {"chain_id": "another"}
    genesis.write_text(json.dumps(other))
    assert online("verify", file, "--genesis", str(genesis)).code == 5


def test_the_nodes_whole_answer_is_taken_as_a_proof(choir: Choir, proof_file: Path) -> None:
    proof = json.loads(proof_file.read_text())
    proof_file.write_text(json.dumps({"data": proof, "error": None, "metadata": {}}))
    assert choir("verify", str(proof_file), "--trust-signer").code == 0


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"data": 1, "error": null, "metadata": {}}', "\xff"])
def test_what_is_no_proof(choir: Choir, tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content.encode("latin-1"))
    ran = choir("verify", str(file), "--trust-signer")
    assert ran.code == 5
    assert "not a proof" in ran.err


def test_what_strangers_wrote_does_not_steer_the_terminal(online: Choir) -> None:
    online("key", "new", "alice")
    text = "[red]x[/red] \u202e right to left, \u2066 and \U0001f469\u200d\U0001f467\u00a0stay"
    thread = online("thread", "create", text, "--as", "alice").out.strip()
    shown = online("thread", "show", thread).out
    assert "\U0001f469\u200d\U0001f467\u00a0stay" in shown
    assert "\u2066" not in shown
    assert "[red]x[/red]" in shown
    assert "\u202e" not in shown
