"""Where are my points: what became of a card's points, in words, with the rule, and what to do next by when.

    FARECARD_KEY=fc_... python examples/where_are_my_points.py http://127.0.0.1:8080 JW000000000000001 --lang en

The key: farecard keys add points-desk --ask cards
"""

import argparse
import os
import sys

from farecard.client import Farecard, FarecardError

FAILED = {"ja": "分かりませんでした", "en": "no answer"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("card")
    parser.add_argument("--lang", choices=("ja", "en"), default="ja")
    parser.add_argument("--as-of", help="a moment with its offset; as things were known then")
    args = parser.parse_args()
    lang = args.lang
    try:
        with Farecard(args.url, os.environ["FARECARD_KEY"]) as farecard:
            points = farecard.status(args.card, args.as_of)["card"]["points"]
            found = farecard.points(args.card, args.as_of)
    except FarecardError as error:
        sys.exit(f"{FAILED[lang]}: {error}")
    print(f"{points:,} ポイント" if lang == "ja" else f"{points:,} points")
    for one in found:
        title = one.get("title", {}).get(lang, "")
        rule = one.get("rule")
        print(f"- {title + ': ' if title else ''}{one[lang]}" + (f"  [{rule}]" if rule else ""))


if __name__ == "__main__":
    main()
