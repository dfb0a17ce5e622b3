"""A decision table as one page of HTML to read, print and hang up: no scripts, nothing fetched."""

import re
from collections.abc import Iterable, Iterator
from html import escape

from rules.telling.table_rows import Table
from rules.telling.table_sections import Cell, Grid, Section, identity, notes, sections
from rules.telling.words import words_for

__all__ = ["table_html"]

_PLACEHOLDER = re.compile(r"\{[a-z][a-z0-9_]*\}")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --ink: #16202a; --soft: #52606d; --line: #c9d1d9; --page: #fff;
  --head: #eef2f6; --grant: #0b6b3a; --refuse: #a3211b; --already: #1c4f9c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #a9b4bf; --line: #3b4650;
  --page: #12181e; --head: #1d252d; --grant: #63d297; --refuse: #ff9a92; --already: #8fbcff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 84rem; color: var(--ink);
  background: var(--page); font: 1rem/1.45 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2rem 0 .5rem; }
h2 span { font-weight: normal; color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin: 0 0 1rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-weight: 600; }
p { margin: .25rem 0; color: var(--soft); }
div.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: start; font-weight: 600; padding: .5rem 0 .25rem; }
th, td { border: 1px solid var(--line); padding: .4rem .55rem; text-align: start;
  vertical-align: top; overflow-wrap: break-word; }
thead th { background: var(--head); font-size: .85rem; }
tbody th { font-weight: 600; }
td p, th p { margin: 0; color: inherit; }
td p + p { margin-top: .3rem; }
.id { font-weight: 600; overflow-wrap: break-word; }
.law { color: var(--soft); font-size: .88rem; }
.reply { font-size: .92rem; }
.reply var { font-style: normal; color: var(--already); white-space: nowrap; }
.grant, .refuse, .already_granted { font-weight: 600; border-inline-start: .3rem solid; }
.grant { color: var(--grant); } .grant p::before { content: "✓\\00a0"; }
.refuse { color: var(--refuse); } .refuse p::before { content: "✕\\00a0"; }
.already_granted { color: var(--already); } .already_granted p::before { content: "↻\\00a0"; }
table.wide { min-width: 60rem; }
@page { size: A4 landscape; margin: 12mm; @bottom-right { content: counter(page); } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --line: #888; --page: #fff;
    --head: #eee; --grant: #0b5a31; --refuse: #8c1a15; --already: #173f7d; }
  html { font-size: 9.5pt; } body { max-width: none; padding: 0; }
  div.scroll { overflow: visible; } table.wide { min-width: 0; }
  thead { display: table-header-group; } tr { break-inside: avoid; }
  h2, caption { break-after: avoid; }
}
"""


def table_html(table: Table) -> str:
    """The whole table as a page; every text of the policy is escaped."""
    title = escape(f"{words_for(table.language)('labels.table')}: {table.title}")
    page = [
        "<!doctype html>",
        f'<html lang="{escape(table.tag)}">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title} ({escape(table.policy)})</title>",
        f"<style>{_STYLE}</style></head>",
        f"<body><main><h1>{title}</h1>",
        f"<dl>{''.join(map(_named, identity(table)))}</dl>",
        *(f"<p>{_filled(note)}</p>" for note in notes(table)),
    ]
    for number, section in enumerate(sections(table), 1):
        page.extend(_section(section, number, table.reply_tag))
    page.append("</main></body></html>")
    return "\n".join(page) + "\n"


def _named(pair: tuple[str, str]) -> str:
    name, value = map(escape, pair)
    return f"<div><dt>{name}</dt><dd>{value}</dd></div>"


def _section(section: Section, number: int, reply_tag: str) -> Iterator[str]:
    state = f" <span>({escape(section.state)})</span>" if section.state else ""
    yield f'<section><h2 id="s{number}">{escape(section.heading)}{state}</h2>'
    for grid in section.grids:
        # A table without a caption of its own is named by the heading above it.
        captioned = grid.caption != section.heading
        yield from _table(grid, "" if captioned else f"s{number}", reply_tag)
    yield "</section>"


def _table(grid: Grid, named_by: str, reply_tag: str) -> Iterator[str]:
    label = f'aria-labelledby="{named_by}"' if named_by else f'aria-label="{escape(grid.caption)}"'
    # What may be scrolled sideways must be reached by the keyboard too.
    yield f'<div class="scroll" role="region" tabindex="0" {label}>'
    wide = ' class="wide"' if grid.wide else ""
    yield f'<table{wide} aria-labelledby="{named_by}">' if named_by else f"<table{wide}>"
    if not named_by:
        yield f"<caption>{escape(grid.caption)}</caption>"
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in grid.columns)
    yield f"<thead><tr>{heads}</tr></thead><tbody>"
    for row in grid.rows:
        yield f"<tr>{''.join(_cells(row, grid.header, reply_tag))}</tr>"
    yield "</tbody></table></div>"


def _cells(row: Iterable[Cell], header: int, reply_tag: str) -> Iterator[str]:
    for place, cell in enumerate(row):
        tag, scope = ("th", ' scope="row"') if place == header else ("td", "")
        kind = f' class="{cell.kind}"' if cell.kind else ""
        # The file does not say in which language its references are: lang="" is "unknown".
        tongue = {"reply": f' lang="{escape(reply_tag)}"', "law": ' lang=""'}.get(cell.kind, "")
        paragraphs = "".join(f"<p>{_filled(line)}</p>" for line in cell.lines)
        yield f"<{tag}{scope}{kind}{tongue}>{paragraphs}</{tag}>"


def _filled(text: str) -> str:
    """Escaped, with placeholders set apart; escaping leaves braces as they are."""
    return _PLACEHOLDER.sub(lambda match: f"<var>{match[0]}</var>", escape(text))
