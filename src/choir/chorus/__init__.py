"""The chorus: answers in six steps from what the network remembers, with citations that are checked."""
