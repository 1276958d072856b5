"""The typed async client of a node's REST interface, and the wallet that signs for it."""

from choir.client.client import Client
from choir.client.errors import ApiError, ClientError, NodeUnreachable
from choir.client.wallet import Wallet

__all__ = ["ApiError", "Client", "ClientError", "NodeUnreachable", "Wallet"]
