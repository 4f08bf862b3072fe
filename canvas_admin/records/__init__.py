"""The domain-free base of our rows: public keys, versions, one clock, their forms."""
