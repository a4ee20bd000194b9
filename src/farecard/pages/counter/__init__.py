"""The counter: a card looked up, and what can be done for whoever stands there, from a clerk's till."""

from farecard.access.sessions import STAFF
from farecard.pages.counter import cards, cases, cash, deeds, flows, no_number, shifts
from farecard.pages.counter.at import HOME
from farecard.pages.door import Window, staff_door

WINDOW = Window(
    STAFF,
    [
        *staff_door(HOME), *shifts.PAGES, *cash.PAGES, *flows.PAGES, *cases.PAGES, *no_number.PAGES, *deeds.PAGES, *cards.PAGES,
    ],
)  # fmt: skip
