"""What a month's grants and an applicant's questions cost, in a store of a million applicants and eleven million events.

Against a scan of the columns that the run reads in the same engine: nothing that reads them all can be faster. On
SQLite and PostgreSQL the run lists who is owed what, as `run_grants` takes it in; over an export it counts, as
`grants preview` does. The scan is the engine's own, with as many workers as it likes. The writing of grants is not in it. A question about a card with a long history is held against one about a card with a short one, in the same store.
"""

import sys
import time
from contextlib import closing, contextmanager

import psycopg

from against_pgbench import SETTINGS, TCP, Server, setting_of
from campaign import NAME, ROUNDS, filled, lived
from farecard.desk.runs import surveyed
from farecard.export.parquet import Export
from farecard.export.reading import Exported
from farecard.model.moments import parse_moment
from farecard.questions import card as cards
from farecard.questions.why import why
from farecard.rules.grants import month_number
from farecard.storage.copying import Copy
from farecard.storage.opening import open_to_read
from results import result

MONTH, UNTIL = month_number("2023-11"), parse_moment("2023-11-10T06:00:00+09:00")
COLUMNS = ("account", "seq", '"at"', '"do"', "channel", "tender", "amount", "outcome")
FOUR = ("account", '"at"', "channel", "amount")
LONG, SHORT = 5_000, 5  # events of the two cards
ROWS_A_COMMIT = 50_000


def seconds(ask):
    """How long something takes, and what it gives."""
    started = time.perf_counter()
    said = ask()
    return time.perf_counter() - started, said


def scan(columns, table):
    """A statement that reads every value of some columns and gives one row."""
    return f"SELECT {', '.join(f'max({column})' for column in columns)} FROM {table}"


def owed(store, version):
    """Everybody to whom something is due, to the last row."""
    return sum(1 for _ in surveyed(store, "owed", NAME, version, MONTH, UNTIL))


def counted(store, version):
    """How many are owed something, and by which reason others are not."""
    rows = list(surveyed(store, "judged_by_reason", NAME, version, MONTH, UNTIL))
    return sum(times for _, code, times, _ in rows if code is None)


def paired(ours, yardstick, pairs):
    """Seconds of both, in turn; the first pair only warms."""
    found = []
    for n in range(pairs + 1):
        both = (seconds(ours)[0], seconds(yardstick)[0])
        print(f"  {both[0]:.2f} s against {both[1]:.2f} s", file=sys.stderr)
        if n:
            found.append(both)
    return found


def over(store, engine, columns, table, people, pairs, ask, run=owed):
    """The run in one engine against a scan."""
    version = max(row[1] for row in store.survey("campaigns_held") if row[0] == NAME)
    grants = run(store, version)
    found = paired(lambda: run(store, version), lambda: ask(scan(columns, table)), pairs)
    setting = f"{engine}, {people:,} applicants, {people * ROUNDS:,} top-ups, {grants:,} grants owed"
    count = "its four columns" if columns is FOUR else "the same columns"
    name = f"who is granted what in a month, on {engine.split(',')[0]} (yardstick: a scan of {count})"
    return result(name, "s", found, setting, better="lower")


def run(folder, people, pairs):
    """The run on SQLite, PostgreSQL and DuckDB."""
    url = f"sqlite:///{applicants(folder, people)}"
    found = []
    with closing(open_to_read(url)) as store:
        found.append(
            over(store, "SQLite", COLUMNS, "event", people, pairs, lambda text: store.db.execute(text).fetchall())
        )
        out = folder / "out"
        print("exporting ...", file=sys.stderr)
        for _ in Export(store, out, "bench", UNTIL).run():
            pass
    with closing(Exported(out)) as exported:
        files = f"read_parquet('{out}/events/**/*.parquet')"
        found.append(
            over(exported, "DuckDB, from the export", FOUR, files, people, pairs,
                 lambda text: exported.db.execute(text).fetchall(), counted)
        )  # fmt: skip
    with served() as server:
        copied = server.database()
        print("copying into PostgreSQL ...", file=sys.stderr)
        copy = Copy(url, copied, ROWS_A_COMMIT)
        for _ in copy.run():
            pass
        copy.close()
        with closing(open_to_read(copied)) as store, psycopg.connect(copied, autocommit=True) as other:
            other.execute("SET search_path = farecard")
            other.execute("VACUUM ANALYZE")
            found.append(
                over(store, setting_of(server, TCP), COLUMNS, "event", people, pairs,
                     lambda text: other.execute(text).fetchall())
            )  # fmt: skip
    return found


@contextmanager
def served():
    """A PostgreSQL, ended behind it."""
    server = Server("18", SETTINGS)
    try:
        yield server
    finally:
        server.stop()


def applicants(folder, people):
    """The store they stand in, filled once."""
    path = folder / f"applicants-{people}.db"
    if not path.exists():
        print(f"{people:,} applicants charge into SQLite ...", file=sys.stderr)
        filled(f"sqlite:///{path}", people)
        lived(f"sqlite:///{path}", people + 1, LONG)
        lived(f"sqlite:///{path}", people + 2, SHORT)
    return path


def history(folder, people, pairs, times=50):
    """``status`` and ``why`` of a card with a long history against one with a short, in one store."""
    found = []
    with closing(open_to_read(f"sqlite:///{applicants(folder, people)}")) as store:
        when = cards.moment(UNTIL)
        for name, question in (("status", cards.status), ("why", why)):

            def asked(number, question=question):
                for _ in range(times):
                    question(store, number, when)

            got = paired(lambda asked=asked: asked(people + 1), lambda asked=asked: asked(people + 2), pairs)
            found.append(
                result(
                    f"{name} of a card with {LONG:,} events (yardstick: one with {SHORT})", "ms",
                    [(ours * 1000 / times, base * 1000 / times) for ours, base in got],
                    f"SQLite, {people:,} cards, in one process, {times} times a pair", better="lower",
                )
            )  # fmt: skip
    return found
