"""``farecard draw``: publish a draw, verify one, and what a holder needs to find the own line on its list."""

from contextlib import closing
from pathlib import Path
from typing import Any

from farecard.cli.ask import number_of
from farecard.cli.errors import UsageError
from farecard.cli.show import pairs, print_json, say
from farecard.draws import index_of, leaf, remarks, verify
from farecard.model.commands import format_number
from farecard.questions.card import UnknownCardError, everything, find
from farecard.questions.draws import published, text_of
from farecard.storage.making import read_vault
from farecard.storage.opening import open_to_read


def publish(args: Any) -> int:
    """Write a draw's file for everybody: the list, its root, and what the public value picks."""
    with closing(open_to_read(args.store)) as store:
        store.begin_reading()
        found = published(store, args.draw, args.alternates)
    if found is None:
        raise UsageError(f"draw {args.draw} is neither frozen nor held; `commit_draw` freezes it")
    part = Path(f"{args.file}.part")
    part.write_bytes(text_of(found))
    part.replace(args.file)
    say(f"draw {args.draw}: {found['entrants']:,} entrants, root {found['root']}")
    return 0


def check(args: Any) -> int:
    """Do all of a published draw again; with ``--card`` and ``--nonce`` also whether that card is on the list."""
    if (args.card is None) != (args.nonce is None):
        raise UsageError("--card and --nonce go together: the nonce is the holder's own")
    try:
        text = Path(args.file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{args.file}: {getattr(error, 'strerror', None) or 'no UTF-8 text'}"
        ) from None
    published, wrong = verify(text, args.root)
    answer: dict[str, Any] = {"ok": not wrong, "problems": wrong}
    if published and not wrong:
        answer |= {"entrants": published["entrants"], "winners": len(published["winners"])}
        answer |= {
            name: published.get(name) for name in ("root", "committed_at", "seed_source", "seed")
        }
    if args.card is not None and not wrong:
        index = index_of(published, args.nonce, format_number(number_of(args)))
        place = published["winners"].index(index) + 1 if index in published["winners"] else None
        answer |= {"on_the_list": index is not None, "index": index, "won_as": place}
    if args.json:
        print_json(answer)
    else:
        pairs({name: value for name, value in answer.items() if name != "problems"})
        for one in wrong or remarks(published):
            say(one)
    return 0 if not wrong and answer.get("on_the_list", True) else 1


def ticket(args: Any) -> int:
    """A holder's nonce in a draw, and the leaf it makes."""
    number = number_of(args)
    store = open_to_read(args.store)
    vault = read_vault(store)
    try:
        account = find(store, number, everything(0).until).account
    except UnknownCardError as error:
        say(f"farecard: {error}: no such card in {store.place}")
        return 1
    found = store.rows("entrant_of", draw=args.draw, account=account)
    if not found:
        say(f"farecard: this card is not on the list of draw {args.draw}")
        return 1
    listed = format_number(found[0][0])
    nonce = vault.nonce(args.draw, account)
    answer = {
        "draw": args.draw,
        "card": listed,
        "nonce": nonce.hex(),
        "leaf": leaf(nonce, listed).hex(),
    }
    (print_json if args.json else pairs)(answer)
    return 0
