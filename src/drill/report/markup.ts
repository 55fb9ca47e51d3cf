/** Markup that was made here. Text gets in through `escapeHtml` only, so whatever a server said stays text. */
export interface Markup {
  readonly html: string;
}

/** Text, or markup that is taken as it is. */
export type Content = string | Markup;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

export function inner(content: Content): string {
  return typeof content === 'string' ? escapeHtml(content) : content.html;
}

/** An element of a page, or of an SVG; attributes are escaped, undefined ones left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...children: readonly Content[]
): Markup {
  const words = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${escapeHtml(typeof value === 'number' ? short(value) : String(value))}"`,
    );
  return { html: `<${name}${words.join('')}>${children.map(inner).join('')}</${name}>` };
}

/** A coordinate with no more digits than a screen can show. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Several pieces as one. */
export function group(...pieces: readonly Content[]): Markup {
  return { html: pieces.map(inner).join('') };
}

export function paragraph(...sentences: readonly string[]): Markup {
  return element('p', {}, sentences.join(' '));
}

export function list(items: readonly Content[]): Markup {
  return element('ul', {}, ...items.map(item => element('li', {}, item)));
}
