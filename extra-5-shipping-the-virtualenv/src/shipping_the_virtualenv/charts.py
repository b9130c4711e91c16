"""The charts of the page."""

import altair as alt
import pandas as pd

from shipping_the_virtualenv.figures import Figures

CHOSEN, OTHERS = "#d6604d", "#92a8c4"
COLOUR = alt.condition("datum.chosen", alt.value(CHOSEN), alt.value(OTHERS))


def compared(figures: Figures, name: str, chosen: str | None) -> alt.LayerChart:
    """A bar for each way, and a tick for each time that it was measured.

    Args:
        figures: what was measured.
        name: the quantity.
        chosen: the way that has a colour.
    """
    quantity = figures.quantities[name]
    bars = [
        {"way": way.title, "value": way.median(name), "chosen": key == chosen}
        for key, way in figures.ways.items()
    ]
    ticks = [
        {"way": way.title, "value": value}
        for way in figures.ways.values()
        for value in way.samples[name]
    ]
    title = f"{quantity.title}, in {quantity.unit}"
    x = alt.X("value:Q", title=None)
    order = sorted(figures.ways.values(), key=lambda way: way.median(name))
    y = alt.Y("way:N", title=None, sort=[way.title for way in order])
    tip = ["way:N", alt.Tooltip("value:Q", title=title, format=".2f")]
    return alt.layer(
        alt.Chart(pd.DataFrame(bars)).mark_bar().encode(x=x, y=y, color=COLOUR, tooltip=tip),
        alt.Chart(pd.DataFrame(ticks)).mark_tick(color="black").encode(x=x, y=y, tooltip=tip),
        title=title,
    ).configure_axis(
        labelLimit=320, labelFlush=False, labelOverlap=False, labelFontSize=13, labelColor="#444"
    )


def time_and_size(figures: Figures, chosen: str | None) -> alt.Chart:
    """A point for each way, between the time of its build and what its image adds to the base."""
    rows = [
        {
            "way": way.title,
            "time": way.median("cold"),
            "size": way.median("above"),
            "chosen": key == chosen,
        }
        for key, way in figures.ways.items()
    ]
    time, size = figures.quantities["cold"], figures.quantities["above"]
    room = alt.Scale(padding=20)
    x = alt.X("time:Q", title=f"{time.title}, in {time.unit}", scale=room)
    y = alt.Y("size:Q", title=f"{size.title}, in {size.unit}", scale=room)
    tip = ["way:N", alt.Tooltip("time:Q", format=".1f"), alt.Tooltip("size:Q", format=".0f")]
    chart = alt.Chart(pd.DataFrame(rows), title="Time and size: drag to move, scroll to zoom")
    return (
        chart.mark_circle(size=200, opacity=1)
        .encode(x=x, y=y, color=COLOUR, tooltip=tip)
        .interactive()
    )
