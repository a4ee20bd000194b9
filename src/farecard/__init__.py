"""farecard: a transit IC card's back office, where every yen and every refusal names its rule."""
