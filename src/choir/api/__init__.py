"""REST, sign-in, limits and the mapping of errors to answers. Knows the engine by its protocol only."""
