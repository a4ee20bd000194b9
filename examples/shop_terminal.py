"""A shop's terminal: takes cards, tells the customer what happened, and never charges twice.

    FARECARD_KEY=fc_... python examples/shop_terminal.py http://127.0.0.1:8080 --merchant kiosk-1 JW000000000000001 480

The key: farecard keys add kiosk-1 --channels shop --place till-1 --merchant kiosk-1
"""

import argparse
import os
import sys

from farecard.client import Farecard, FarecardError, Purchase, new_id, now


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("card", help="JW and fifteen digits, as the reader gives them")
    parser.add_argument("yen", type=int)
    parser.add_argument("--merchant", required=True)
    parser.add_argument("--cash", type=int, default=0, help="yen paid in coins, where the balance does not do")
    args = parser.parse_args()
    # made once: whatever breaks on the way, this purchase has this id, and happens once
    purchase = Purchase(
        id=new_id(), at=now(), channel="shop", card=args.card, amount=args.yen, cash=args.cash, merchant=args.merchant
    )
    try:
        with Farecard(args.url, os.environ["FARECARD_KEY"], timeout=5) as farecard:
            decision = farecard.send(purchase)
    except FarecardError as error:
        sys.exit(f"{error}\nNot paid as far as we know. The purchase's id is {purchase.id}.")
    if decision.accepted:
        print(f"お支払い {args.yen:,} 円  残額 {decision.result['balance']:,} 円")
        return
    for reason in decision.reasons:
        print(f"{reason.ja}\n{reason.en}" + (f"  [{reason.rule}]" if reason.rule else ""))
    sys.exit(1)


if __name__ == "__main__":
    main()
