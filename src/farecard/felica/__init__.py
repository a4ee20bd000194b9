"""A real card on a reader: what its blocks say, reading them, and offering that to a page on this machine."""
