import { type Content, element, escapeHtml, type Markup } from './markup.ts';
import { STYLE } from './style.ts';

export interface Section {
  title: string;
  body: readonly Content[];
}

export interface PageFacts {
  title: string;
  /** Below the title: when, where, with what. */
  subtitle: string;
  verdict: { level: 'good' | 'caution' | 'bad'; word: string; sentence: string };
  sections: readonly Section[];
  footer: string;
}

/**
 * One HTML page that needs nothing else: no network, no script, light and dark as the reader's system has it.
 * A content security policy in it forbids everything but its own style.
 */
export function page({ title, subtitle, verdict, sections, footer }: PageFacts): string {
  const body: Markup[] = [
    element('h1', {}, title),
    element('p', {}, subtitle),
    element(
      'p',
      { class: `verdict ${verdict.level}` },
      element('b', {}, `${verdict.word}: `),
      verdict.sentence,
    ),
    ...sections.map(section =>
      element('section', {}, element('h2', {}, section.title), ...section.body.map(block)),
    ),
    element('footer', {}, footer),
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    `<body>\n${body.map(({ html }) => html).join('\n')}\n</body>`,
    '</html>',
    '',
  ].join('\n');
}

function block(content: Content): Markup {
  return typeof content === 'string' ? element('p', {}, content) : content;
}
