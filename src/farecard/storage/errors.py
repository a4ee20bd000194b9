"""What can be wrong with a store, in words a person can act on."""


class StoreError(Exception):
    """The store cannot be opened, read or written; the text says why and what to do."""
