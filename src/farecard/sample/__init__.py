"""A realistic journal of any size: the same for the same seed, streamed, made to touch every rule.

Days pass from 2023-03-01 to November with their morning and evening peaks, however many commands there are. Most
cards live ordinary lives (``crowd``), some collect points (``applicants``); among them short scripted stories
(``stories``) go through what happens rarely: a loss, a refund by post, a mistake, a broken line. What is drawn
comes from ``random.Random.random`` alone, which gives the same numbers on every Python.
"""

import random
from collections.abc import Iterator

from farecard.sample.crowd import Crowd
from farecard.sample.stories import SLOW, STORIES, Story

STORY_EVERY = 90  # commands of ordinary life between two steps of a story


def journal(commands: int, seed: int) -> Iterator[bytes]:
    """So many journal lines, without line ends."""
    chance = random.Random(seed)
    crowd = Crowd(chance, commands)
    told = 0
    story: Iterator[bytes] = iter(())
    sent = 0
    while sent < commands:
        if sent % STORY_EVERY < _steps(told):
            line = next(story, None)
            if line is None:
                steps = STORIES[told % len(STORIES)]
                one = Story(told, crowd.now, crowd.next_id)
                if steps in SLOW:
                    crowd.errands.take(one.errands(steps), crowd.now())
                else:
                    story = one.tell(steps)
                told += 1
                continue
        else:
            line = crowd.step()
        yield line
        sent += 1


def _steps(told: int) -> int:
    """How many story lines a stretch gets: many at first, so that short journals see every rule."""
    return 40 if told <= len(STORIES) else 2
