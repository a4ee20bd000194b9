"""``farecard campaign load FILE`` and ``list``: campaigns as dated files."""

from contextlib import closing
from typing import Any

from farecard.campaigns import CampaignError, read_file
from farecard.cli.ask import tell_pending
from farecard.cli.errors import UsageError
from farecard.cli.show import print_json, table
from farecard.cli.tariff import text_of
from farecard.desk.opening import making_store
from farecard.questions.pending import pending
from farecard.storage.making import add_campaigns, adding, load_campaigns
from farecard.storage.opening import open_to_read


def load(args: Any) -> int:
    """Read and check the file, then add it; a store that is not there yet is made with it."""
    text = text_of(args.file)
    try:
        campaign = read_file(text)
    except CampaignError as error:
        raise UsageError(f"{args.file}: {error}") from None
    store, _ = making_store(args.store)
    with closing(store), adding(store):
        added = add_campaigns(store, [text])
    if not added:
        raise UsageError(
            f"{args.file}: edition {campaign.edition} of {campaign.name}, or a newer one, is in the store"
            " already; give a changed file the next edition"
        )
    answer = {"campaign": campaign.name, "edition": campaign.edition, "version": added[0]}
    if args.json:
        print_json(answer)
    else:
        print(f"campaign {campaign.name}, edition {campaign.edition}, is in the store")
    return 0


def list_(args: Any) -> int:
    """The campaigns of a store."""
    store = open_to_read(args.store)
    store.begin_reading()
    campaigns = load_campaigns(store).all
    for one in campaigns:
        tell_pending(pending(store, f"campaign:{one.name}"))
    rows = [
        {
            "campaign": one.name,
            "edition": one.edition,
            "title": getattr(one.title, args.lang),
            "applied_for_by": one.applied_for_by,
            "apply_until": one.apply_until.isoformat(),
            "measures": len(one.measures),
        }
        for one in campaigns
    ]
    if args.json:
        print_json(rows)
    else:
        table(list(rows[0]) if rows else [], [list(row.values()) for row in rows], empty="none")
    return 0
