"""The WebSocket: what happens in threads and accounts, delivered as it happens (docs/reference/websocket.md)."""
