"""The result as one HTML page: findings, charts with their tables beside them, assumptions. It needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from agent.impact.imports.measured_volumes import MeasuredVolumes
from agent.impact.model import ImpactResult, PeriodResult
from agent.impact.output.charts import PlotSeries, bar_chart, line_chart, picture
from agent.impact.output.tables import (
    TextTable,
    assumptions_table,
    days_table,
    hours_table,
    overview_table,
    sensitivity_table,
)
from agent.impact.output.terminal import import_lines
from agent.impact.output.words import PERIOD_NAMES, WEEKDAY_NAMES, findings, percent
from agent.impact.scenario import PlayedPlan
from agent.reports.charts import STYLE
from agent.reports.html_page import scrollable

_TITLE = "What the voice agent is worth"
_WITHOUT, _WITH = "without the agent", "with the agent"
_PAGE_STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5c6b7a;--paper:#fff;--line:#dfe4e9;--stripe:#f5f7f9;--note:#fff4dc}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#a3b1bf;--paper:#141a20;--line:#33404d;--stripe:#1b232b;
--note:#3a2f14}}
body{margin:0 auto;max-width:1180px;padding:1.5rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:1.7rem;margin:.2em 0}h2{font-size:1.3rem;margin:2em 0 .4em}h3{font-size:1.05rem;margin:1.4em 0 .3em}
li{margin:.35em 0}.warnings{background:var(--note);padding:.6em 1em .6em 2em;border-radius:6px}
.wide{overflow-x:auto}.wide .chart{min-width:34rem}
figure{margin:1em 0;max-width:760px}figcaption{font-weight:600}svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3em 0}
th,td{padding:.28em .7em;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;vertical-align:top}
th{font-weight:600}.words{text-align:left}td.words:last-child{white-space:normal}
tbody tr:nth-child(even){background:var(--stripe)}
.note{color:var(--soft);font-size:.88rem;max-width:60em}details{margin:.6em 0}summary{cursor:pointer}
@media print{details{display:block}}
"""


def html_page(result: ImpactResult, volumes: Sequence[MeasuredVolumes] = ()) -> str:
    """Return the whole page. ``volumes`` are the imports it stands on, for what was used of them."""
    body = "\n".join(_body(result, volumes))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_TITLE}</title><style>{_PAGE_STYLE}{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def wait_picture(result: ImpactResult) -> str:
    """Return the chart of waits of the sale day, else of the week, as an SVG file."""
    return picture(wait_chart(result.event or result.week))


def wait_chart(period: PeriodResult) -> str:
    """Return the mean wait by hour, with and without the agent; on a sale day with the staff that could be found."""
    if period.short:
        series = (
            PlotSeries(_WITHOUT, _hourly(period.short[0][1], "wait_seconds")),
            PlotSeries(_WITH, _hourly(period.short[-1][1], "wait_seconds")),
        )
    else:
        series = _both(period, "wait_seconds")
    return line_chart(wait_title(period), _labels(period), series, "seconds", identity=f"{period.name}-short")


def wait_title(period: PeriodResult) -> str:
    """Return what that chart shows."""
    staff = "80 % of the staff it needs, both ways" if period.short else "planned for the goal both ways"
    return f"Mean wait of answered callers by hour, {PERIOD_NAMES[period.name]}, {staff}"


def _body(result: ImpactResult, volumes: Sequence[MeasuredVolumes]) -> Iterator[str]:
    yield f"<main><h1>{_TITLE}</h1>"
    yield _list(findings(result), "findings")
    if result.warnings:
        yield "<h2>Read with care</h2>"
        yield _list(result.warnings, "warnings")
    for period in (result.event, result.week):
        if period is not None:
            yield from _period(result, period)
    yield "<h2>Assumptions</h2>"
    yield _table(assumptions_table(result))
    if volumes:
        yield "<h2>What was read</h2>"
        for one in volumes:
            yield _list([line.strip(" -") for line in import_lines(one)], "imports")
    yield "</main>"


def _period(result: ImpactResult, period: PeriodResult) -> Iterator[str]:
    name = PERIOD_NAMES[period.name]
    yield f"<h2>{escape(name.capitalize())}</h2>"
    yield _table(overview_table(result, period))
    if period.agent_lines:
        yield (
            f'<p class="note">The agent needs {period.agent_lines} lines: one caller in a thousand finds them all busy '
            "in the busiest half hour. Compare with the channels of the trunk and the cores of the machine.</p>"
        )
    if period.short:
        yield _figure(wait_title(period), wait_chart(period))
    title = f"Mean wait of answered callers by hour, {name}, planned for the goal both ways"
    series = _both(period, "wait_seconds")
    yield _figure(title, line_chart(title, _labels(period), series, "seconds", identity=f"{period.name}-wait"))
    title = f"Staff by hour, {name}"
    yield _figure(title, line_chart(title, _labels(period), _both(period, "staff"), identity=f"{period.name}-staff"))
    yield _details("The same in numbers, by hour", _table(hours_table(result, period)))
    if period.name == "week":
        yield _table(days_table(result))
    title = f"Cost of {name}, staff and agent, {result.inputs.currency}"
    yield _figure(title, _cost_chart(period, title))
    if period.sensitivity:
        title = f"Staff hours saved, by containment of what the agent takes on, {name}"
        yield _figure(title, _sensitivity_chart(period, title))
        yield _table(sensitivity_table(result, period))


def _cost_chart(period: PeriodResult, title: str) -> str:
    rows = [(_WITHOUT, period.now.total.cost), (_WITH, period.agent.total.cost)]
    rows += [(f"{percent(row.containment)} contained", row.figures.cost) for row in period.sensitivity]
    costs = PlotSeries("cost", [cost for _, cost in rows])
    return bar_chart(title, [label for label, _ in rows], costs, identity=f"{period.name}-cost")


def _sensitivity_chart(period: PeriodResult, title: str) -> str:
    saved = PlotSeries("hours saved", [max(0.0, row.hours_saved) for row in period.sensitivity])
    claims = [PlotSeries(f"claim: {percent(one.saving)}", [one.saving] * len(saved.values)) for one in period.claims]
    labels = [percent(row.containment) for row in period.sensitivity]
    return line_chart(title, labels, (saved, *claims), "share", identity=f"{period.name}-saved")


def _both(period: PeriodResult, name: str) -> tuple[PlotSeries, PlotSeries]:
    return PlotSeries(_WITHOUT, _hourly(period.now, name)), PlotSeries(_WITH, _hourly(period.agent, name))


def _hourly(plan: PlayedPlan, name: str) -> list[float | None]:
    """Return a figure of every hour of a plan; a gap after each day but the last."""
    values: list[float | None] = []
    for day in plan.days:
        if values and day.hours:
            values.append(None)
        values += [getattr(hour, name) for hour in day.hours]
    return values


def _labels(period: PeriodResult) -> list[str]:
    labels: list[str] = []
    for place, day in enumerate(period.now.days):
        if period.name == "event":
            labels += [f"{hour.hour:02d}" for hour in day.hours]
        elif day.hours:
            labels += [""] * bool(labels)
            labels += [f"{WEEKDAY_NAMES[place][:3]} {hour.hour:02d}" for hour in day.hours]
    return labels


def _list(texts: Sequence[str], kind: str) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="{kind}">{items}</ul>'


def _table(table: TextTable) -> str:
    def cell(tag: str, place: int, text: str) -> str:
        kind = ' class="words"' if place < table.text_columns else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{kind}{scope}>{escape(text)}</{tag}>"

    head = "".join(cell("th", place, text) for place, text in enumerate(table.columns))
    rows = "".join(
        "<tr>" + "".join(cell("td", place, text) for place, text in enumerate(row)) + "</tr>" for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    whole = (
        f"<table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
    return scrollable(table.title, whole) + note


def _figure(title: str, svg: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{scrollable(title, svg)}</figure>" if svg else ""


def _details(summary: str, inside: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


__all__ = ["html_page", "wait_picture"]
