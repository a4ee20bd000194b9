"""A night's journal, sent whole: what a gate or another railway gathered while it was alone.

    FARECARD_KEY=fc_... python examples/nightly_upload.py http://127.0.0.1:8080 day.ndjson > decisions.ndjson

May be broken off and started again at any time: what was decided is answered as before. Ends with status 1
when a line was no command, so that somebody looks at it in the morning.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

import msgspec
from tqdm import tqdm

from farecard.client import Farecard, FarecardError


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("journal", type=Path)
    args = parser.parse_args()
    count = Counter()
    try:
        with (
            Farecard(args.url, os.environ["FARECARD_KEY"]) as farecard,
            tqdm(unit=" lines", disable=None) as bar,
        ):
            for decision in farecard.journal(args.journal):
                sys.stdout.buffer.write(msgspec.json.encode(decision) + b"\n")
                count[decision.outcome] += 1
                count["repeated"] += decision.repeated
                bar.update()
    except (FarecardError, OSError) as error:
        sys.exit(f"{error}\n{bar.n:,} lines were answered; start it again to go on.")
    told = ", ".join(f"{many:,} {outcome}" for outcome, many in count.items() if many)
    print(told or "an empty journal", file=sys.stderr)
    sys.exit(1 if count["invalid"] else 0)


if __name__ == "__main__":
    main()
