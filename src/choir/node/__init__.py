"""Where all rooms meet: configuration, wiring, and the services that run for as long as the node does."""
