import { describe, expect, it } from 'vitest';
import { type CellState, linePlot, list, page, paragraph, strip, table } from './index.ts';
import { figure, ticks, timeTicks } from './scale.ts';
import { coarsen } from './strip.ts';

const FACTS = {
  title: 'A <title>',
  subtitle: 'when & where',
  verdict: { level: 'bad' as const, word: 'failed', sentence: 'FATAL: <script>alert(1)</script>' },
  footer: '"quoted"',
};

describe('page', () => {
  it('is one document that loads and runs nothing', () => {
    const html = page({ ...FACTS, sections: [{ title: 'S', body: ['text', paragraph('one', 'two')] }] });
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/https?:|<script|src=|@import|url\(/);
    expect(html).toContain('<p>one two</p>');
    expect(html).toContain('prefers-color-scheme: dark');
  });

  it('keeps text text', () => {
    const html = page({ ...FACTS, sections: [{ title: '<i>', body: [list(['<b>'])] }] });
    expect(html).toContain('A &#60;title&#62;');
    expect(html).not.toMatch(/<(script|i|b)>alert|<h2><i>|<li><b>/);
  });
});

describe('table', () => {
  it('aligns numbers and names rows', () => {
    const { html } = table([['a', '1']], { header: ['name', 'n'], alignRight: [1], caption: 'c' });
    expect(html).toContain('<caption>c</caption>');
    expect(html).toContain('<th scope="row">a</th><td class="number">1</td>');
  });
});

describe('linePlot', () => {
  const series = [
    {
      name: 'p50',
      points: [
        { x: 0, y: 1 },
        { x: 1, y: 4 },
        { x: 2, y: undefined },
        { x: 3, y: 2 },
      ],
    },
  ];

  it('breaks the line where there is nothing', () => {
    const { html } = linePlot(series, { title: 'Latency', unit: 'ms' });
    expect(html.match(/<polyline/g)).toHaveLength(2);
    expect(html).toContain('p50 (at most 4 ms)');
    expect(html).not.toContain('NaN');
  });

  it('stands having no points, and marks moments', () => {
    const { html } = linePlot([{ name: 'x', points: [] }], {
      title: 'T',
      unit: 'u',
      seconds: 10,
      marks: [{ seconds: 5, label: 'injected' }],
    });
    expect(html).toContain('injected');
    expect(html).not.toContain('NaN');
  });
});

describe('strip', () => {
  const cells = (states: string): CellState[] =>
    [...states].map(c => (c === '.' ? 'none' : c === 'x' ? 'failed' : 'acknowledged'));

  it('joins what is alike and says when it was', () => {
    const { html } = strip(cells('aaa..xa'), {
      title: 'Reads',
      marks: [{ seconds: 0.3, label: 'injected' }],
    });
    expect(html.match(/<rect/g)).toHaveLength(4);
    expect(html).toContain('no answer at all: 0.3 s to 0.5 s');
    expect(html).toContain('57.1 % acknowledged');
    expect(html).toContain('injected');
  });

  it('gets coarser for a day, and hides nothing', () => {
    const day = new Array<CellState>(864_000).fill('acknowledged');
    day[400_000] = 'none';
    const { html } = strip(day, { title: 'Reads' });
    expect(html.match(/<rect/g)?.length).toBeLessThan(20);
    expect(html).toContain('var(--none)');
    expect(html).not.toContain('NaN');
  });

  it('shows the worst of what is joined', () => {
    expect(coarsen(cells('aaxa.x'), 2)).toEqual(['acknowledged', 'failed', 'none']);
  });

  it('stands being empty', () => expect(strip([], { title: 'E' }).html).not.toContain('NaN'));
});

describe('scales', () => {
  it.each([
    [7, 5, [0, 2, 4, 6, 8]],
    [0.3, 5, [0, 0.1, 0.2, 0.3]],
    [0, 5, [0, 1]],
    [1234, 4, [0, 500, 1000, 1500]],
  ])('%d in at most %d', (top, most, expected) => expect(ticks(top, most)).toEqual(expected));

  it('whole minutes on a long axis', () => expect(timeTicks(600, 5)).toEqual([0, 120, 240, 360, 480, 600]));

  it.each([
    [0, '0'],
    [0.01234, '0.0123'],
    [12.34, '12.3'],
    [12_345, '12,345'],
  ])('%d is %s', (value, text) => expect(figure(value)).toBe(text));
});
