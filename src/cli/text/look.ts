/** Emphasis by meaning, not by colour, so that every command shows the same thing the same way. */
export interface Look {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  caution(text: string): string;
  bad(text: string): string;
  /** One of six colours, the same for the same name. */
  named(name: string, text: string): string;
}

const NAMED_COLOURS = [36, 35, 34, 33, 32, 96] as const;

/** Emphasis with ANSI sequences, or none at all. */
export function createLook(colours: boolean): Look {
  const sequence = (code: number, end: number) => (text: string) =>
    colours && text !== '' ? `\u001b[${code}m${text}\u001b[${end}m` : text;
  return {
    strong: sequence(1, 22),
    faint: sequence(2, 22),
    good: sequence(32, 39),
    caution: sequence(33, 39),
    bad: sequence(31, 39),
    named: (name, text) => sequence(colourOf(name), 39)(text),
  };
}

function colourOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return NAMED_COLOURS[sum % NAMED_COLOURS.length] ?? NAMED_COLOURS[0];
}
