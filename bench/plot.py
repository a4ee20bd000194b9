"""The plot of latest.json: each ratio as a bar, with what was promised of it."""

import vl_convert

from results import bars


def draw(found):
    """An SVG of the entries that something was promised of."""
    rows = [
        {"name": one["name"].split(" (yardstick")[0] + (" (less is better)" if one["better"] == "lower" else ""), "ratio": one["ratio_median"], "worst": one["ratio_lowest"],
         "must": bars(one["name"])[0], "aim": bars(one["name"])[1]}
        for one in found
        if bars(one["name"])
    ]  # fmt: skip
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 420}}

    def x(field):
        return {"field": field, "type": "quantitative", "title": "ours / yardstick"}

    def mark(field, colour):
        return {"mark": {"type": "tick", "thickness": 3, "size": 22, "color": colour},
                "encoding": {"y": y, "x": x(field)}}  # fmt: skip

    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": "farecard against its yardsticks",
                  "subtitle": "bar: median ratio · black: the worst pair · orange: must · green: aim"},
        "width": 520, "height": {"step": 34}, "data": {"values": rows},
        "layer": [
            {"mark": {"type": "bar", "height": 16, "color": "#4c78a8"}, "encoding": {"y": y, "x": x("ratio")}},
            mark("worst", "black"), mark("must", "#f58518"), mark("aim", "#54a24b"),
        ],
    }  # fmt: skip
    return vl_convert.vegalite_to_svg(spec)
