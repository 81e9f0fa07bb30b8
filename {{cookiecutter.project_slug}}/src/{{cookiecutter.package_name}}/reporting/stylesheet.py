"""How the page looks: one column, drawn tables, figures beside their captions, and fit to print."""

from . import colours

_COLOURS = {
    "blue": colours.BLUE,
    "orange": colours.ORANGE,
    "ink": colours.INK,
    "grey": colours.GREY,
    "pale": colours.PALE,
    "faint": colours.FAINT,
}
_VARIABLES = "; ".join(f"--{name}: {colour}" for name, colour in _COLOURS.items())

_RULES = """
* { box-sizing: border-box }
body {
  margin: 0; background: #fff; color: var(--ink); font: 16px/1.55 system-ui, -apple-system,
  "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-variant-numeric: tabular-nums
}
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1, h2 { letter-spacing: -.012em; overflow-wrap: anywhere }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 }
h2 {
  font-size: 1.2rem; margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--pale)
}
p, ul { max-width: 46rem; margin: .6rem 0; overflow-wrap: anywhere }
.about { color: var(--grey); margin: .35rem 0 1.5rem }
.verdict {
  font-size: 1.2rem; line-height: 1.5; margin: 0; padding: .9rem 1.2rem; max-width: none;
  background: #eff6fb; border-left: .3rem solid var(--blue)
}
.tiles, .pictures { display: grid; margin: 1rem 0 }
.tiles { grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem }
.tiles div { border: 1px solid var(--pale); border-radius: .35rem; padding: .7rem .9rem }
.tiles dt { color: var(--grey); font-size: .85rem }
.tiles dd { margin: 0; font-size: 1.7rem; line-height: 1.3; font-weight: 600 }
.tiles small { display: block; font-size: .8rem; font-weight: 400; color: var(--grey) }
.alarm dd { color: var(--orange) }
.pictures {
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem 2rem
}
figure { margin: 0; display: flex; flex-direction: column; gap: .5rem }
figure svg { width: 100%; max-width: 30rem; height: auto }
svg text { font-family: inherit !important }
svg * { stroke-linejoin: round; stroke-linecap: butt }
figcaption { font-size: .88rem; line-height: 1.45; color: var(--grey) }
figcaption b { color: var(--ink); font-weight: 600 }
@media (min-width: 48rem) {
  .alone figure { flex-direction: row; gap: 2rem; align-items: flex-start }
  .alone figcaption { padding-top: .9rem }
  .alone svg { flex: 0 0 30rem }
}
.wide {
  overflow-x: auto; margin: 1.25rem 0; background:
  linear-gradient(to left, #fff 40%, #fff0) right / 2.5rem 100% no-repeat local,
  linear-gradient(to left, #0003, #0000) right / .9rem 100% no-repeat scroll
}
table { border-collapse: collapse; font-size: .88rem; min-width: 60% }
caption { text-align: left; padding: .25rem 0; max-width: calc(100vw - 2.5rem) }
th, td {
  padding: .32rem .8rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--faint)
}
th { font-weight: 400 }
thead th, thead td { color: var(--grey); border-bottom-color: var(--pale); vertical-align: bottom }
tbody th, .words { text-align: left }
td.words:last-child { white-space: normal; min-width: 14rem; overflow-wrap: anywhere }
th:first-child { padding-left: 0; position: sticky; left: 0; background: #fff }
.good { background: color-mix(in srgb, var(--blue) var(--tint), #fff) }
.bad { background: color-mix(in srgb, var(--orange) var(--tint), #fff) }
.span { padding-top: 0; padding-bottom: 0 }
.span svg { display: block }
.span line { stroke: var(--blue); stroke-width: 1.6 }
.span .mark { stroke: #9aa5b1; stroke-width: 1; stroke-dasharray: 2 2 }
thead .mark { text-align: left; font-size: .8rem }
.span circle { fill: var(--blue) }
summary { cursor: pointer; font-size: .88rem; font-weight: 600 }
.remarks { padding-left: 1.1rem; font-size: .88rem; color: var(--grey) }
.remarks li { margin: .35rem 0 }
@media print {
  body { font-size: 12px }
  main { max-width: none; padding: 0 }
  h2 { margin-top: 1.5rem; break-after: avoid }
  figure, .wide, .tiles, .verdict { break-inside: avoid }
  .wide { overflow: visible }
  .alone figure { flex-direction: row; gap: 2rem }
  .alone svg { flex: 0 0 24rem }
  .verdict, .good, .bad { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""

STYLES = ":root { " + _VARIABLES + " }" + _RULES
