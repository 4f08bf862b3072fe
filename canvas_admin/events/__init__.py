"""The transactional outbox: a change leaves its event in the same transaction (DESIGN 7)."""
