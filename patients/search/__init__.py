"""Finding patients among those within reach: keys, streams and scans of them."""
