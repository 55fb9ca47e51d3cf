/** Colours differ in lightness as well as in hue, so that they can be told apart without seeing hues. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #ffffff; --text: #1b1f24; --faint: #5a636e; --line: #d8dde3;
  --good: #17713d; --caution: #8a5a00; --bad: #b3261e;
  --s0: #1f5fa8; --s1: #b8500c; --s2: #6d3fc0; --s3: #1a7f5a; --s4: #8c2f63; --s5: #5a636e;
  --acknowledged: #a6d8bb; --failed: #e8590c; --none: #20262d; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --text: #e6e9ed; --faint: #9aa4b0; --line: #333b45;
  --good: #66cf93; --caution: #f0b95b; --bad: #ff8a80;
  --s0: #7fb4f2; --s1: #f7a468; --s2: #bfa2fa; --s3: #66cfa4; --s4: #ef9ac6; --s5: #9aa4b0;
  --acknowledged: #2c6146; --failed: #ff922b; --none: #f3f5f7; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.verdict { border-left: .35rem solid; padding: .3rem .8rem; margin: 1rem 0; font-size: 1.1rem; }
.verdict.good { border-color: var(--good); } .verdict.caution { border-color: var(--caution); }
.verdict.bad { border-color: var(--bad); }
.verdict b { text-transform: capitalize; } .good b { color: var(--good); } .caution b { color: var(--caution); }
.bad b { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .93rem; margin: .4rem 0; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { text-align: left; padding: .22rem 1.2rem .22rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } tbody th { font-weight: 400; color: var(--faint); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.2rem 0; } figcaption { font-weight: 600; font-size: .95rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--faint); font: 11px system-ui, sans-serif; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; color: var(--faint); font-size: .85rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -.08rem; }
.axis { stroke: var(--line); } .mark { stroke: var(--text); stroke-dasharray: 3 3; }
footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; }
@media print { body { max-width: none; } figure { break-inside: avoid; } }
`;

/** Series have these colours in turn. */
export const SERIES_COLOURS = 6;
