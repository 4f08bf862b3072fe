"""Random searches over the API against a plain evaluator of what the caller may read."""
