import { InvalidArgumentError } from 'commander';

/** A TCP port that an ordinary user may take or root may give. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return port;
}

/** A count of lines: 0 or more. */
export function parseLines(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a number of lines.');
  return Number(text);
}

/** How often: 1 or more. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('Write a number from 1 to 9999.');
  return Number(text);
}

/** A major version of PostgreSQL. */
export function parseMajor(text: string): number {
  if (!/^\d{2}$/.test(text)) throw new InvalidArgumentError('Write a major version, for example 16.');
  return Number(text);
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
