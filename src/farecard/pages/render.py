"""Templates to HTML: escaped by default, each in the language of who asks."""

import re
import secrets
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from farecard.pages.assets import Assets
from farecard.pages.cases import OURS
from farecard.pages.charts import apart, bar
from farecard.pages.house import House
from farecard.pages.language import Language, words
from farecard.pages.requests import TOKEN, Page, Request
from farecard.pages.steps import waits_for
from farecard.rules.catalogue import RULES
from farecard.texts import LANGUAGES

# Japanese sentences follow each other without a gap; within tags, and where people type, all stays as it is
_GAP = re.compile(r"(?<=。)\s+(?=[^\s<>][^<>]*<)")
_AS_TYPED = ("<textarea", "<pre")


class Renderer:
    """Makes pages."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": assets.address,
            "apart": apart,
            "bar": bar,
            "waits_for": waits_for,
            "ours_decide": OURS,
            "languages": {name: Language(name).word("language") for name in LANGUAGES},
            "token_field": TOKEN,
            "rules": RULES,
            "fields": {
                key.removeprefix("field.") for key in words("en") if key.startswith("field.")
            },
        }

    def page(self, request: Request, house: House, page: Page) -> str:
        """A page as it goes out."""
        said = request.language
        text = self._environment.get_template(page.template).render(
            t=said.word,
            say=said,
            lang=said.name,
            theme=request.theme,
            window=request.window,
            asked_for=request.path,
            back=request.back or f"/{request.window}",
            csrf=house.csrf,
            fresh_id=secrets.token_urlsafe(12),
            signed_in=house.speaker is not None,
            their_role=house.role,
            set_to=house.set_to,
            **page.figures,
        )
        if said.name != "ja" or any(one in text for one in _AS_TYPED):
            return text
        return _GAP.sub("", text)
