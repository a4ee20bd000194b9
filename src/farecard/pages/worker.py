"""One serving process, as uvicorn starts it: the API, and the pages beside it."""

from farecard.api import worker
from farecard.api.app import App
from farecard.pages.site import Site


def make() -> App:
    """The application of this process."""
    app = worker.make()
    app.pages = Site(app, behind_tls=worker.settings_of_this().behind_tls)
    return app
