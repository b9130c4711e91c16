"""The page: what was measured of the ways to an image, and which rules each lesson keeps."""

import streamlit as st

from shipping_the_virtualenv import charts
from shipping_the_virtualenv.figures import Figures, Lesson, NoFigures, load

METRICS = ("image", "cold", "edit", "dependency")
SIGNS = {"kept": "✓", "broken": "✗", "does not apply": "·"}


def numbers(figures: Figures, chosen: Lesson) -> None:
    """The chosen lesson's way in four numbers, compared with the lesson that it builds on."""
    way = figures.ways[chosen.way or ""]
    before = figures.lessons.get(chosen.builds_on or "")
    for column, name in zip(st.columns(len(METRICS)), METRICS, strict=True):
        quantity, value, change = figures.quantities[name], way.median(name), None
        if before and before.way and before.way != chosen.way:
            difference = value - figures.ways[before.way].median(name)
            change = f"{quantity.shown(difference, '+')} against {before.short}"
        column.metric(quantity.title, quantity.shown(value), change, delta_color="inverse")
    if before and before.way == chosen.way:
        st.caption(f"{chosen.short} goes the same way as {before.short}.")


def contract(figures: Figures, chosen: Lesson) -> None:
    """Which rules the chosen lesson keeps, and the table of all."""
    st.subheader("The contract")
    apply = [verdict for verdict in chosen.verdicts.values() if verdict != "does not apply"]
    kept = apply.count("kept")
    st.markdown(f"{chosen.short} keeps {kept} of the {len(apply)} rules that apply to it.")
    for rule, promise in figures.rules.items():
        if chosen.verdicts[rule] == "broken":
            st.markdown(f"- It breaks `{rule}`: {promise}")
    heads = [
        f"▸ {lesson.short}" if lesson == chosen else lesson.short
        for lesson in figures.lessons.values()
    ]
    lines = [f"| | {' | '.join(heads)} |", f"|---|{':-:|' * len(heads)}"]
    for rule in figures.rules:
        signs = [SIGNS[lesson.verdicts[rule]] for lesson in figures.lessons.values()]
        lines.append(f"| `{rule}` | {' | '.join(signs)} |")
    st.markdown("\n".join(lines))
    st.caption("✓ kept, ✗ broken, · does not apply")


def page() -> None:
    """Everything, from top to bottom."""
    st.set_page_config("Dockerizing Python in figures", layout="wide")
    st.title("Dockerizing Python in figures")
    try:
        figures = load()
    except NoFigures as reason:
        st.warning(str(reason))
        return
    st.markdown(
        f"The application of the final result, built in {len(figures.ways)} ways. Choose a lesson, "
        "and see how large the image becomes in its way, and how long a build takes: from nothing, "
        "after an edit of the code, and after a new dependency."
    )
    folder = st.selectbox(
        "Lesson", figures.lessons, format_func=lambda folder: figures.lessons[folder].title
    )
    chosen = figures.lessons[folder]
    if chosen.way:
        numbers(figures, chosen)
    else:
        st.info(f"The way of {chosen.short} was not measured with the others.")
    columns = st.columns(2)
    for number, name in enumerate(METRICS):
        columns[number % 2].altair_chart(charts.compared(figures, name, chosen.way))
    st.altair_chart(charts.time_and_size(figures, chosen.way))
    st.caption(f"Bars are medians, and ticks single runs. {figures.conditions}")
    contract(figures, chosen)


page()
