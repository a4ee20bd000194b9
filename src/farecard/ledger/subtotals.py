"""Subtotals (小計): sums over spans of a writer's chain, so that no balance goes through all of its batches.

With every 16th batch of a chain stands what it and the 15 before it moved (level 1), with every 256th the sum of
sixteen of those (level 2), and so on: a chain's first ``number`` batches are a few spans of each level and at most
15 batches (level 0). Up to level ``DAILY`` (4,096 batches) they are by day, since a month is asked for too; from there
of all days, since a balance of many years is to be a few rows an account.
"""

WIDTH = 16  # spans of a level in one of the next; also in storage/subtotals.sql
DAILY = 3  # also in storage/subtotals.sql and queries.sql
EVERY_DAY = -1  # the day of what is of all days


def parts_of(level: int, number: int) -> list[int]:
    """The numbers with which the parts end, of the level below, of the span that ends with a batch of this number."""
    step = WIDTH ** (level - 1)
    return [number - n * step for n in range(WIDTH)]


def ending_with(number: int) -> list[int]:
    """The levels of the spans that end with a chain's batch of this number, the shortest first."""
    found: list[int] = []
    while number % WIDTH ** (len(found) + 1) == 0:
        found.append(len(found) + 1)
    return found


def up_to(number: int, highest: int | None = None) -> list[tuple[int, list[int]]]:
    """The spans that make up a chain's first ``number`` batches: of each level, the numbers they end with.

    ``highest``: none of a higher level than this, and of this as many as there are.
    """
    found: list[tuple[int, list[int]]] = []
    level, step = 0, 1
    while number:
        over = number // step
        if level != highest:
            over %= WIDTH
        if over:
            found.append((level, [number - n * step for n in range(over)]))
        number -= over * step
        level, step = level + 1, step * WIDTH
    return found
