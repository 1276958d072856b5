"""Models that write the steps of a run."""
