"""Why something cannot be done, as a code of the texts and its figures: the windows make the sentences."""

from typing import Any


class CodedError(Exception):
    """A code, its figures; ``until``: when it may be tried again, where that is all."""

    def __init__(self, code: str, until: int | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.until = until
        self.params = params
