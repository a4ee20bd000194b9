"""The back office: today, cases, proposals, grants, campaigns, draws, the books, the audit."""

from farecard.access.sessions import STAFF
from farecard.pages.door import Window, staff_door
from farecard.pages.operations import (
    audit,
    books,
    campaigns,
    cases,
    draws,
    grants,
    proposals,
    today,
)
from farecard.pages.operations.shared import HOME

WINDOW = Window(
    STAFF,
    [
        *staff_door(HOME),
        *(one for part in (today, cases, proposals, grants, campaigns, draws, books, audit) for one in part.PAGES),
    ],
)  # fmt: skip
