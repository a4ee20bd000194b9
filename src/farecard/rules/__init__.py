"""What the issuer promises: pure functions, one file a promise; no clock, no input or output."""
