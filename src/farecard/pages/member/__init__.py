"""The member's page: signing in, one's cards, what each is worth, what happened with it, and what can be done."""

from farecard.access.sessions import MEMBER
from farecard.pages.door import Window
from farecard.pages.member import account, cards, deeds, programmes

WINDOW = Window(MEMBER, [*account.PAGES, *cards.PAGES, *deeds.PAGES, *programmes.PAGES])
