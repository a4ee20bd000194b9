"""A card on a reader, through nfcpy: waited for, read without a key, told from the next one. Nothing is ever written to it."""

import errno
import logging
import math
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import nfc  # type: ignore[import-untyped]  # it ships no types
import nfc.clf  # type: ignore[import-untyped]
import nfc.tag  # type: ignore[import-untyped]
from nfc.tag.tt3 import BlockCode, ServiceCode  # type: ignore[import-untyped]

from farecard.felica.blocks import (
    ATTRIBUTES,
    BLOCK,
    GATES,
    HISTORY,
    OPEN_RIDE,
    SERVICES,
    decode,
)
from farecard.felica.checks import Doubt
from farecard.felica.touches import Away, ReaderError, Touched, Trouble

SYSTEM = 0x0003  # Japan's public transport
PAUSE = 0.1  # seconds between two looks at the reader
MISSED = 2  # looks without an answer after which a card is gone: a single one can be lost
MOST = 12  # blocks asked for at once, at most

_PATH = re.compile(
    r"usb(:[0-9a-fA-F]{4}(:[0-9a-fA-F]{4})?|:\d{1,3}(:\d{1,3})?)?"
    r"|(tty|com)(:[A-Za-z0-9-]+(:(arygon|pn532))?)?"
    r"|udp:[^:\s]+:\d{1,5}"
)
# what nfcpy's way through an answer ends with when a card sends half of one, or nothing at all
_BROKEN = (nfc.tag.TagCommandError, nfc.clf.CommunicationError, IndexError, UnboundLocalError, ValueError)  # fmt: skip

STRANGE = (
    "this is not a card of the transit system; lay an ICOCA or another transit card on the reader"
)
HALF = (
    "the card was taken away before it was read; lay it on the reader again and leave it there"
    " until it has been read"
)
CLOSED = "this card does not let its balance and history be read"

# nfcpy would write what it hears from a card to whatever log it finds
logging.getLogger("nfc").propagate = False


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """The reader at a path of nfcpy's, closed at the end; raises ReaderError."""
    if not _PATH.fullmatch(path):
        raise ReaderError(
            f"--device: {path}: not the path of a reader; use usb, usb:054c:06c3, tty:USB0:pn532"
            " or udp:localhost:54321"
        )
    try:
        frontend = nfc.ContactlessFrontend(path)
    except (OSError, OverflowError) as error:
        raise ReaderError(_why_not(path, error)) from None
    with frontend:
        yield frontend


def _why_not(path: str, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if isinstance(error, FileNotFoundError) and path.startswith("usb"):
        return "readers at USB need the library libusb-1.0; on Debian: apt-get install libusb-1.0-0"
    if code == errno.ENODEV:
        return (
            f"no reader at {path}; plug one in, or name another with --device"
            " (`python -m nfc` says which it finds, and what keeps it from using one)"
        )
    if code == errno.EACCES:
        return f"the reader at {path} may not be used by you; `python -m nfc` says how to be allowed to"
    if code == errno.EBUSY:
        return f"the reader at {path} is used by another program; end that first"
    return f"the reader at {path} cannot be used: {getattr(error, 'strerror', None) or error}"


def touches(
    frontend: Any, stop: Event, until: float = math.inf
) -> Iterator[Touched | Away | Trouble]:
    """What comes to lie on the reader, each touch once, and goes; ends with ``stop``, or at a moment of the monotonic clock.

    Raises ReaderError when the reader itself is gone.
    """
    # the identifier of the card that lies there, for as long as it does: only to tell it from the next one
    lying: bytes | None = None
    missed = 0
    was_lifted = False  # told once of a card that is held too far away, though it is looked for again and again
    others = _Others(frontend)
    while not stop.is_set() and time.monotonic() < until:
        target = _sense(frontend, _felica(SYSTEM))
        if target is not None:
            missed = 0
            found = bytes(target.sensf_res[1:9])
            if found != lying:
                if lying is not None:
                    yield Away()
                came = _read(frontend, target)
                is_lifted = isinstance(came, Trouble) and came.again
                lying = None if is_lifted else found
                if not (is_lifted and was_lifted):
                    yield came
                was_lifted = is_lifted
                del came
        elif lying is not None:
            missed += 1
            if missed == MISSED:
                lying = None
                yield Away()
        else:
            was_lifted = False
            if others.came():
                yield Trouble(STRANGE)
        stop.wait(PAUSE)


def _felica(system: int) -> Any:
    """What a card of a system answers to: which system it is, at once."""
    return nfc.clf.RemoteTarget("212F", sensf_req=bytearray([0, *system.to_bytes(2, "big"), 1, 0]))


def _sense(frontend: Any, target: Any) -> Any:
    try:
        return frontend.sense(target)
    except OSError as error:
        raise ReaderError(
            f"the reader does not answer any more ({error.strerror or error}); plug it in again and start anew"
        ) from None


class _Others:
    """Cards of other families: looked for one family after the other, each card told once."""

    def __init__(self, frontend: Any) -> None:
        self._frontend = frontend
        self._families = deque(
            [_felica(0xFFFF), nfc.clf.RemoteTarget("106A"), nfc.clf.RemoteTarget("106B")]
        )
        self._is_there = False

    def came(self) -> bool:
        """Whether one has come since it was last asked."""
        try:
            found = _sense(self._frontend, self._families[0])
        except (nfc.clf.UnsupportedTargetError, ValueError):
            self._families.popleft()  # not every reader hears every family
            return False
        if found is None:
            self._is_there = False
            self._families.rotate(-1)
            return False
        # one of ours may have come between the two questions
        if self._is_there or _sense(self._frontend, _felica(SYSTEM)) is not None:
            return False
        self._is_there = True
        return True


def _read(frontend: Any, target: Any) -> Touched | Trouble:
    """All that the card tells."""
    try:
        tag = nfc.tag.activate(frontend, target)
        if tag is None:
            return Trouble(STRANGE)
        told = {service: _blocks(tag, service) for service in SERVICES}
    except _BROKEN:
        return Trouble(HALF, again=True)
    except OSError as error:
        raise ReaderError(
            f"the reader was lost while it read ({error.strerror or error}); plug it in again and start anew"
        ) from None
    attributes, history, gates, ride = (told[s] for s in (ATTRIBUTES, HISTORY, GATES, OPEN_RIDE))
    if attributes is None or history is None:
        return Trouble(CLOSED)
    untold = [
        Doubt(code, {})
        for code, blocks in (("gates-not-told", gates), ("ride-not-told", ride))
        if blocks is None
    ]
    return Touched(decode(attributes[0], history, gates or [], ride or []), untold)


def _blocks(tag: Any, service: int) -> list[bytes] | None:
    """A service's blocks, as many at once as the card gives; None where it does not let them be read."""
    code = ServiceCode(service >> 6, service & 63)
    most = _at_once(tag)
    found: list[bytes] = []
    while len(found) < SERVICES[service]:
        some = range(len(found), min(len(found) + most, SERVICES[service]))
        try:
            data = bytes(tag.read_without_encryption([code], [BlockCode(n) for n in some]))
        except nfc.tag.TagCommandError as error:
            if error.errno < 0x100:  # it said nothing, or nothing that could be understood
                raise
            if most == 1:
                return None
            most = 1  # it may give less at once than others of its kind
            continue
        found += [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)]
    return found


def _at_once(tag: Any) -> int:
    """How many blocks the card gives at once, from nfcpy's table of chips; one where it does not know the chip."""
    known = getattr(tag, "IC_CODE_MAP", {}).get(tag.pmm[1])
    return min(known[1], MOST) if isinstance(known, tuple) else 1
