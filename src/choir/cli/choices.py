"""Options with a fixed choice. The ledger's and the client's types say the same; they are not imported here to keep
`choir --help` fast, and mypy holds the two together where the commands pass them on."""

from typing import Literal

Privacy = Literal["public", "premium", "thread", "encrypted"]
SpecStatus = Literal["open", "approved", "denied", "expired", "withdrawn"]
