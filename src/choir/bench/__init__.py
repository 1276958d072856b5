"""Measurements of this machine: one module per figure family, each callable from `choir bench`."""
