"""One serving process, as uvicorn starts it: what it needs to know comes in its environment."""

import logging
import os
import sys
from pathlib import Path

import msgspec

from farecard.api.app import App
from farecard.api.clock import Clock
from farecard.api.limits import Limits
from farecard.api.logs import configure
from farecard.api.metrics import Metrics
from farecard.desk.opening import collect_rarely, writing_desk

SETTINGS = "FARECARD_SERVE"
SWITCH = 0.001  # seconds until the other of desk and loop may compute; Python's own 5 ms is an answer's whole time


class Settings(msgspec.Struct):
    """What ``farecard serve`` tells its workers."""

    store: str
    limits: Limits
    log_level: str
    clock_ahead: int = 0  # microseconds
    behind_tls: bool = False
    until_idle: float | None = None  # seconds without a request after which it ends by itself
    shared: str | None = None  # the folder for numbers, where there are several


def settings_of_this() -> Settings:
    """What this process was told."""
    return msgspec.json.decode(os.environ[SETTINGS], type=Settings)


def make() -> App:
    """The application of this process."""
    settings = settings_of_this()
    configure(settings.log_level)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # a stranger's bytes shall not fill a log
    collect_rarely()
    sys.setswitchinterval(SWITCH)
    shared = None if settings.shared is None else Path(settings.shared)
    return App(
        lambda: writing_desk(settings.store),
        settings.limits,
        Metrics(shared),
        Clock(settings.clock_ahead),
        settings.until_idle,
    )
