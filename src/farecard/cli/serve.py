"""``farecard serve``: the desk over HTTP."""

from typing import Any

import msgspec

from farecard.api.limits import LIMITS, Limits
from farecard.api.serve import address, bind, serve
from farecard.api.worker import Settings
from farecard.cli.errors import UsageError
from farecard.cli.show import say
from farecard.model.moments import moment_now, parse_moment
from farecard.storage.opening import place_of


def _limits(words: list[str]) -> Limits:
    """``--limit NAME=NUMBER``, as often as it stands there."""
    values = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in LIMITS:
            raise UsageError(f"--limit: {name}: unknown; known are {', '.join(LIMITS)}")
        values[name] = number
    try:
        limits = msgspec.convert(values, Limits, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"--limit: {error}") from None
    if any(getattr(limits, name) <= 0 for name in LIMITS):
        raise UsageError("--limit: a limit is more than 0")
    return limits


def _moment(text: str) -> int:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise UsageError(f"--clock: {error}") from None


def run(args: Any) -> int:
    """``farecard serve``, until SIGTERM or Ctrl-C."""
    ahead = 0 if args.clock is None else _moment(args.clock) - moment_now()
    settings = Settings(
        args.store, _limits(args.limit or []), args.log_level, ahead, args.behind_tls, args.until_idle
    )  # fmt: skip
    if args.until_idle is not None and (args.until_idle <= 0 or args.workers > 1):
        raise UsageError("--until-idle: more than 0 seconds, and one process")
    if args.workers < 1:
        raise UsageError("--workers: 1 or more processes")
    place = place_of(args.store)
    with bind(args.host, args.port) as listening:
        at = address(listening)

        def ready() -> None:
            say(f"farecard serves {place} at {at} (how to speak to it: {at}/docs); Ctrl-C to stop")

        serve(args.store, listening, settings, args.workers, ready, "farecard.pages.worker:make")
    say("farecard: stopped; everything that was accepted was answered")
    return 0
