"""What a step of the benchmark found: pairs of ours and a yardstick, and how they are told."""

import statistics

BARS = {  # what was promised of a ratio: name begins with → (must, aim)
    "4,096 a batch, one process": (6, 12),
    "4,096 a batch, two processes": (9, 20),
    "64 a batch": (4, 7),
    "64 callers": (2.5, 5),
    "journal and rows written": (0.4, 0.7),
    "a store of 20 million": (1.5, 1.1),
    "HTTP: single commands (": (1.2, 3),
    "HTTP: single commands, echoed": (0.5, 1),
    "HTTP: a journal": (0.7, 0.9),
    "HTTP: the slowest hundredth": (6, 3),
    "who is granted what in a month, on SQLite": (12, 5),
    "who is granted what in a month, on PostgreSQL": (12, 5),
    "who is granted what in a month, on DuckDB": (5, 2.5),
    "status of a card with": (8, 3),
    "why of a card with": (8, 3),
    "a page's processor time": (2, 1.1),
}


def result(name, unit, pairs, setting, *, better="higher"):
    """One entry of latest.json. The ratio is ours / yardstick; ``ratio_lowest`` is the worst of all pairs.

    Of what is ``better`` when "lower" (a time, a size) the worst is the highest.
    """
    ratios = [ours / yardstick for ours, yardstick in pairs]
    worst = min(ratios) if better == "higher" else max(ratios)
    return {
        "name": name,
        "ours": round(statistics.median(o for o, _ in pairs), 4),
        "yardstick": round(statistics.median(y for _, y in pairs), 4),
        "unit": unit,
        "better": better,
        "pairs": len(pairs),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_lowest": round(worst, 3),
        "setting": setting,
    }


def bars(name):
    """What was promised of it: (must, aim), or None."""
    return next((both for start, both in BARS.items() if name.startswith(start)), None)


def told(found):
    """A short table: a line an entry."""
    lines = [
        f"{'ratio':>7} {'worst':>7} {'must':>5} {'aim':>5} {'ours':>10} {'yardstick':>10} unit"
    ]
    for one in found:
        must, aim = bars(one["name"]) or ("", "")
        lines.append(
            f"{one['ratio_median']:>7} {one['ratio_lowest']:>7} {must:>5} {aim:>5}"
            f" {_figure(one['ours']):>10} {_figure(one['yardstick']):>10} {one['unit']}: {one['name']}"
        )
    return "\n".join(lines)


def _figure(value):
    """Whole where it is large, with its first digits where it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
