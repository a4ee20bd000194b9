"""What one process takes from whom, in one place. Over a limit it answers at once and goes on with the others."""

import msgspec

from farecard.wire.line import LONGEST_LINE


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes, seconds and counts. ``farecard serve --limit NAME=NUMBER`` sets one."""

    # bytes
    body: int = LONGEST_LINE  # of one command
    headers: int = 16_384
    # seconds
    headers_within: float = 10  # from a request's first byte to the end of its headers
    body_within: float = 15  # without another byte of a command that was begun
    whole_body_within: float = 60  # from a command's first byte to its last
    silent: float = 300  # without another line of a journal
    unread: float = 30  # without a byte of our answers taken
    idle: float = 75  # a connection without a request
    leave_within: float = 30  # for what is under way when the server is told to stop
    store_within: float = 2  # for the store to say a word to /healthz
    session_idle: float = 900  # a session of somebody who does nothing
    session_age: float = 43_200  # a session, whatever is done
    follow: int = 30  # that a follower may wait for what comes next
    ahead: int = 300  # how far a command's clock may be ahead of ours
    behind: int = 900  # how far a member's may be behind
    # counts
    waiting: int = 16_384  # commands in the queue
    in_flight: int = 8192  # of one journal: read, and its answer not taken yet
    readers: int = 4  # questions answered at the same time
    questions: int = 256  # questions that wait
    member_rate: int = 10  # requests a second of one member
    sign_ins: int = 32  # that are looked at or wait
    writes: int = 64  # of proposals, sessions and cards of members that wait
    connections: int = 10_000
    events: int = 10_000  # of one answer of /v1/events


LIMITS = tuple(Limits.__struct_fields__)
