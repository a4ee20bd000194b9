"""How far a run is: what it has granted so far, from its batches alone.

A run's batches hold nothing but its grants. They were recorded since it was approved, so each writer's chain is gone
back to then, and of each batch there one event is looked at; a run of a million grants has a few hundred.
"""

from typing import NamedTuple

from farecard.model.moments import SECOND
from farecard.questions.following import SEQS
from farecard.storage.store import Store

A_STEP = 500  # batches looked at in one go
SLACK = 60 * SECOND  # between the clocks of two machines
_END = (1 << 63) - 1


class Granted(NamedTuple):
    """Grants and points so far; when the first and the last batch of them were recorded (0: none yet)."""

    grants: int
    points: int
    first_at: int
    last_at: int

    @property
    def a_second(self) -> float:
        """How many grants a second; 0 where that cannot be told yet."""
        seconds = (self.last_at - self.first_at) / SECOND
        return self.grants / seconds if seconds > 0 else 0.0

    def seconds_left(self, target: int) -> int | None:
        """How long the rest will take at this rate; None where that cannot be told yet."""
        rate = self.a_second
        return None if not rate else max(0, round((target - self.grants) / rate))


def granted_so_far(store: Store, sender: str, id: str, since: int) -> Granted:
    """What the run of a sender's id has granted; ``since``: the moment it was approved."""
    grants, batches, recorded = 0, [], []
    for (writer,) in store.rows("writers"):
        number = _END
        while rows := store.rows("batches_before", writer=writer, number=number, most=A_STEP):
            some = {batch: (at, events) for batch, _, at, events in rows if at >= since - SLACK}
            seqs = [batch * SEQS for batch in some]
            for (seq,) in store.rows("grants_at", seqs=seqs, sender=sender, id=id) if seqs else ():
                at, events = some[seq // SEQS]
                grants += events
                batches.append(seq // SEQS)
                recorded.append(at)
            number = rows[-1][1]
            if len(some) < len(rows):
                break
    points = 0
    for start in range(0, len(batches), A_STEP):
        ((yen,),) = store.rows("owed_for_grants", batches=batches[start : start + A_STEP])
        points += yen
    return Granted(grants, points, min(recorded, default=0), max(recorded, default=0))
