"""Coherence: how far those who keep the memory agree, in integers. Pure; knows nothing of the ledger or the memory."""
