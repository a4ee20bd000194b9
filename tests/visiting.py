"""People who look at pages with a browser that runs no script: what they read, fill in and press."""

import http.client
import re
from html import unescape
from urllib.parse import urlencode

import residents
from farecard.pages.language import Language
from residents import WORD
from town import Town, fresh


class Browser:
    """Somebody with a browser that keeps cookies, follows where it is sent, and runs no script."""

    def __init__(self, served, language="en"):
        self.served = served
        self.language = language
        self.cookies = {}
        self.path = "/member"

    def csrf(self):
        """What the forms of the page that is shown carry."""
        return re.search(r'name="csrf" value="([^"]+)"', self.text)[1]

    def send(self, method, path, form=None, *, raw=False, **headers):
        """One request, its cookies kept; gives (status, headers, text), or bytes where it is asked for ``raw``."""
        said = {"Accept-Language": self.language, **headers}
        if self.cookies:
            said["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode(form)
            said.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        try:
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            text = answer.read() if raw else answer.read().decode()
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                found = re.match(r"([^=]+)=([^;]*)", value)
                self.cookies[found[1]] = found[2]
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def look(self, path):
        """A page's text, wherever it leads."""
        status, headers, text = self.send("GET", path)
        if status == 303:
            return self.look(headers["location"])
        self.path = path
        self.text = text
        return plain(text)

    def press(self, button, **fields):
        """Fill in the form that has this button on the page that is shown, press it, and see what comes."""
        for form in re.findall(r"<form\b.*?</form>", self.text, re.DOTALL):
            if button in plain(form):
                break
        else:
            raise AssertionError(f"no button {button}: {plain(self.text)}")
        said = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        said |= dict(re.findall(r'<input id="[^"]+" name="([^"]+)" type="[^"]+" value="([^"]*)"', form))
        pressed = re.search(rf'<button[^>]*?name="([^"]+)" value="([^"]*)"[^>]*>{re.escape(button)}<', form)
        said |= {pressed[1]: pressed[2]} if pressed else {}
        action = re.search(r'action="([^"]+)"', form)
        where = action[1] if action else self.path
        if 'method="get"' in form:
            return self.look(f"{where}?{urlencode(said | fields)}")
        status, headers, text = self.send("POST", where, {name: unescape(value) for name, value in said.items()} | fields)
        if status == 303:
            return self.look(headers["location"])
        self.text = text
        return plain(text)


def plain(text):
    """What a person reads of a page."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()


class Visited(Town):
    """The same, and people who look at it with a browser."""

    def member(self, language="en"):
        """Somebody who enrolled and signed in."""
        t = Language(language).word
        one = Browser(self, language)
        one.login = f"somebody-{fresh()}@example.com"
        _, one.codes = residents.enrolled(self.url, one.login)
        one.look("/member")
        one.press(t("sign_in.do"), login=one.login, password=WORD)
        return one

    def at(self, window, role, language="en"):
        """Somebody who works here, signed in at a window of theirs."""
        t = Language(language).word
        one = Browser(self, language)
        one.name = self.staff(role)
        one.look(f"/{window}")
        one.press(t("sign_in.do"), name=one.name, password=WORD)
        assert one.path == f"/{window}", plain(one.text)
        return one

    def holder(self, kind, language="en"):
        """A member with a card, added with what its holder said at the sale; or with a code of a machine where it has no name."""
        one, number = self.member(language), self.sell(kind)
        t = Language(language).word
        one.look("/member/add")
        if kind == "anonymous":
            one.press(t("add.do_code"), card=number, code=self.code(number, "ticket-machine").lower())
        else:
            said = {name: self.holders[number][name] for name in ("kana", "born", "phone")}
            one.press(t("add.do"), card=number, **said)
        assert one.path == f"/member/cards/{number}", plain(one.text)
        return one, number

    def at_machine(self, kind="ticket-machine", language="en", ask="cards,codes", **settings):
        """Somebody at a station machine that was set up with a key of its own; ``name`` and ``key`` are that key's."""
        t = Language(language).word
        one = Browser(self, language)
        one.name = f"machine-{fresh()}"
        one.key = self.key(one.name, kind, ask=ask, place="osaka")
        one.look("/machine")
        one.press(t("machine.setup.do"), kind=kind, key=one.key, **({"skin": "navy", "station": ""} | settings))
        assert one.path == "/machine", plain(one.text)
        return one

    def inserted(self, kind, number, language="en", **settings):
        """The same, with a card in the machine."""
        one = self.at_machine(kind, language, **settings)
        one.look("/machine")
        one.press(Language(language).word("machine.start.do"), number=number)
        assert one.path == "/machine/card", plain(one.text)
        return one
