"""Random transactions of every type, with hostile text wherever text may stand."""

from typing import Any, get_args

from hypothesis import strategies as st

from choir.ledger import transactions as tx

# Characters that encoders treat specially: controls, quotes, line separators, astral planes, non-characters.
special = st.sampled_from(
    '\x00\x01\x08\t\n\x0b\x0c\r\x1f "\\/\x7f\x80\u00e9\u2028\u2029\ufeff\uffff\U0001f600\U0010ffff'
)
hostile_text = st.text(special | st.characters(exclude_categories=("Cs",)), max_size=12)

hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
thread_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
amounts = st.integers(-(10**39), 10**39).map(str)
safe_integers = st.integers(0, 2**53 - 1)
levels = st.sampled_from(get_args(tx.PrivacyLevel))
priors = st.lists(hashes, max_size=3).map(tuple)

actions = st.one_of(
    st.builds(tx.TreasuryTransfer, to=hostile_text, amount=amounts),
    st.builds(tx.SetParameter, name=hostile_text, value=safe_integers),
    st.builds(tx.Pause),
    st.builds(tx.Resume),
)
bodies = st.one_of(
    st.builds(tx.CreateThread, thread_id=thread_ids, privacy=levels),
    st.builds(tx.PostMessage, thread_id=thread_ids, content_hash=hashes, priors=priors, privacy=st.none() | levels),
    st.builds(
        tx.SubmitSpec,
        thread_id=thread_ids,
        content_hash=hashes,
        stake=amounts,
        priors=priors,
        privacy=st.none() | levels,
    ),
    st.builds(tx.ProcessApproval, spec_id=hashes, approve=st.booleans()),
    st.builds(tx.WithdrawSpec, spec_id=hashes),
    st.builds(tx.Divest, thread_id=thread_ids, amount=amounts),
    st.builds(tx.Transfer, to=hostile_text, amount=amounts),
    st.builds(tx.SetPrivacy, message_hash=hashes, level=levels),
    st.builds(tx.Erase, message_hash=hashes),
    st.builds(tx.SubscribePremium, periods=st.integers(1, 120)),
    st.builds(tx.Propose, action=actions),
    st.builds(tx.Endorse, proposal_id=hashes),
)


def transactions() -> st.SearchStrategy[tx.Transaction]:
    """Transactions of every type; text fields are not limited to what the ledger would accept."""
    optional: dict[str, Any] = {
        "signature": st.none() | hostile_text,
        "depends_on": st.none() | hashes,
        "expires_at": st.none() | safe_integers,
    }
    return st.builds(
        tx.Transaction, body=bodies, chain_id=hostile_text, nonce=safe_integers, sender=hostile_text, **optional
    )
