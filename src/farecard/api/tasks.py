"""Long work in the background: begun once, told of by whichever process is asked, left and come back to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from farecard.access import tasks
from farecard.access.tasks import Task
from farecard.api.readers import Readers
from farecard.api.registrar import Registrar
from farecard.storage.store import Store

_log = logging.getLogger("farecard.api")
LOOK_EVERY = 1.0  # seconds
HEARD_EVERY = 10  # looks: so often it is noted that somebody is at it, though nothing has moved
Tell = Callable[[int, int], None]  # how much is done, of how much
Work = Callable[[Tell], Awaitable[Any]]
Soon = Callable[[Coroutine[Any, Any, None]], None]


class Tasks:
    """Begins tasks and keeps what is told of them."""

    def __init__(
        self, readers: Readers, registrar: Registrar, surveyors: Readers, soon: Soon
    ) -> None:
        """``surveyors`` answer what looks at all accounts, apart from the other questions; ``soon`` does work nobody waits for."""
        self._readers = readers
        self._registrar = registrar
        self._surveyors = surveyors
        self._soon = soon
        self._jobs: dict[str, asyncio.Task[Any]] = {}
        self._ended: dict[str, asyncio.Event] = {}

    async def begin(self, number: str, kind: str, about: str, who: str, work: Work) -> str:
        """Begin it, unless it was begun already or another task does just this; gives the number of the one that does."""
        task, is_new = await self._registrar.do(
            lambda store: tasks.begin(store, number, kind, about, who)
        )
        if is_new:
            self._ended[number] = asyncio.Event()
            self._soon(self._do(number, work))
        return task.task

    async def survey(self, number: str, kind: str, about: str, who: str, ask: Callable[[Store], Any]) -> str:  # fmt: skip
        """The same of a question over all accounts."""

        async def work(_tell: Tell) -> Any:
            return await self._surveyors.ask(ask)

        return await self.begin(number, kind, about, who, work)

    async def _do(self, number: str, work: Work) -> None:
        said = [0, 0]

        def tell(done: int, total: int) -> None:
            said[:] = done, total

        job = self._jobs[number] = asyncio.ensure_future(work(tell))
        noted, looks = [0, 0], 0
        try:
            while not job.done():
                await asyncio.wait({job}, timeout=LOOK_EVERY)
                looks += 1
                if said != noted or looks % HEARD_EVERY == 0:
                    noted = list(said)
                    await self._registrar.do(partial(tasks.seen, number=number, done=noted[0], total=noted[1]))  # fmt: skip
            await self._registrar.do(partial(tasks.end, number=number, result=self._came_of(job)))
        except Exception as error:  # noqa: BLE001  # the row stays as it is, and counts as cut short after a while
            _log.warning("a task could not be told of: %s", type(error).__name__)
        finally:
            self._jobs.pop(number, None)
            self._ended.pop(number).set()

    def _came_of(self, job: asyncio.Task[Any]) -> Any:
        """What it gave; None where it was cut short, or failed: then it may be begun again."""
        if job.cancelled():
            return None
        error = job.exception()
        if error is not None:
            _log.error("a task failed: %s", type(error).__name__)
            return None
        return job.result()

    async def settled(self, number: str, seconds: float) -> Task:
        """A task as it is after so many seconds, or as soon as it has ended here."""
        ended = self._ended.get(number)
        if ended is not None:
            try:
                async with asyncio.timeout(seconds):
                    await ended.wait()
            except TimeoutError:
                pass
        found = await self.find(number)
        assert found is not None
        return found

    async def find(self, number: str) -> Task | None:
        """One task."""
        return await self._readers.ask(lambda store: tasks.find(store, number))

    def leave(self) -> None:
        """The server leaves: what is under way is cut short."""
        for job in list(self._jobs.values()):
            job.cancel()
