import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Finding } from './findings.ts';
import type { Path } from './path.ts';

/** What YAML can say that JSON can say too: the only values a manifest has. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** Where a value stands in the text, beside the value itself. Offsets count from 0. */
export interface Place {
  start: number;
  /** Start of the key of a map entry. */
  keyStart: number | undefined;
  /** The value is null: nothing is written, or `~`. */
  empty: boolean;
  /** A scalar exactly as typed, where it was not read as a string: `16`, `on`, `1.10`. */
  written: string | undefined;
  children: Map<string | number, Place> | undefined;
}

export interface Tree {
  value: JsonValue;
  place: Place;
  /** Words without quotes that Kubernetes' YAML reader takes for booleans although YAML 1.2 does not. */
  looseBooleans: Path[];
}

/** Reports a problem of the YAML structure itself, at an offset. */
type Report = (offset: number, path: Path, finding: Finding) => void;

/** Deeper than any manifest, far from the depth at which recursion would run out of stack. */
const maxDepth = 64;
/** After aliases are expanded: many times the largest real manifest, reached by an alias bomb only. */
const maxNodes = 50_000;
/** The YAML reader below kubectl follows YAML 1.1 here. */
const looseBoolean = /^(?:yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/;

/**
 * Turns a parsed YAML document into plain values plus their places. Aliases and merge keys are expanded;
 * duplicate keys, odd keys, dangling aliases, cycles and bombs are reported, never thrown.
 * The first of two equal keys wins, so that the rest of the manifest can be judged all the same.
 */
export function toTree(document: Document.Parsed, report: Report): Tree | undefined {
  const reader = new Reader(report);
  if (document.contents === null || !reader.collectAnchors(document.contents, 0)) return undefined;
  const tree = reader.read(document.contents, [], undefined, 0);
  return reader.gaveUp ? undefined : { ...tree, looseBooleans: reader.looseBooleans };
}

class Reader {
  readonly looseBooleans: Path[] = [];
  gaveUp = false;
  readonly #report: Report;
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new Map<Alias, Node>();
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Binds each alias to the anchor before it, as YAML wants: a name may be used again further down. */
  collectAnchors(node: unknown, depth: number): boolean {
    if (depth > maxDepth) {
      this.#giveUp(offsetOf(node), [], {
        code: 'too-deep',
        message: `the manifest is nested more than ${maxDepth} levels deep`,
        hint: 'no field of the format needs that: check brackets and indentation',
      });
      return false;
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) this.#targets.set(node, target);
      return true;
    }
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, node);
    }
    if (isSeq(node)) return node.items.every(item => this.collectAnchors(item, depth + 1));
    if (isMap(node)) {
      return node.items.every(
        pair => this.collectAnchors(pair.key, depth + 1) && this.collectAnchors(pair.value, depth + 1),
      );
    }
    return true;
  }

  read(
    node: unknown,
    path: Path,
    keyStart: number | undefined,
    depth: number,
  ): { value: JsonValue; place: Place } {
    const start = offsetOf(node, keyStart);
    const place: Place = { start, keyStart, empty: false, written: undefined, children: undefined };
    const nothing = { value: null, place: { ...place, empty: true } };
    this.#nodes++;
    if (this.gaveUp) return nothing;
    if (this.#nodes > maxNodes || depth > maxDepth) {
      this.#giveUp(start, path, {
        code: 'too-large',
        message: 'the aliases of this manifest expand to more than any manifest needs',
        hint: 'write the values out instead of nesting aliases',
      });
      return nothing;
    }
    if (isAlias(node)) return this.#readAlias(node, path, place, depth) ?? nothing;
    if (isSeq(node)) {
      const children = new Map<string | number, Place>();
      const value = node.items.map((item, index) => {
        const read = this.read(item, [...path, index], undefined, depth + 1);
        children.set(index, read.place);
        return read.value;
      });
      return { value, place: { ...place, children } };
    }
    if (isMap(node)) return this.#readMap(node.items, path, place, depth);
    if (!isScalar(node) || node.value === null || node.value === undefined) return nothing;
    return this.#readScalar(node.value, node.source, node.type === 'PLAIN', path, place);
  }

  #readScalar(value: unknown, source: string | undefined, plain: boolean, path: Path, place: Place) {
    const written = source ?? String(value);
    if (typeof value === 'string' && plain && looseBoolean.test(value)) {
      this.looseBooleans.push(path);
      return { value: /^(?:yes|on)$/i.test(value), place: { ...place, written } };
    }
    if (typeof value === 'string') return { value, place };
    if (typeof value === 'boolean' || typeof value === 'number')
      return { value, place: { ...place, written } };
    // Dates, binaries and big integers of YAML's optional types: the format has none, the text is what counts.
    return { value: written, place };
  }

  #readAlias(node: Alias, path: Path, place: Place, depth: number) {
    const target = this.#targets.get(node);
    if (target === undefined) {
      this.#report(place.start, path, {
        code: 'unknown-alias',
        message: `no anchor &${node.source} stands before the alias *${node.source}`,
        hint: 'define the anchor above this line, or quote the text if it was not meant as an alias',
      });
      return undefined;
    }
    if (this.#open.has(target)) {
      this.#report(place.start, path, {
        code: 'alias-cycle',
        message: `the alias *${node.source} stands inside the value it refers to`,
        hint: 'write the value out',
      });
      return undefined;
    }
    this.#open.add(target);
    const read = this.read(target, path, place.keyStart, depth + 1);
    this.#open.delete(target);
    // A finding about the value as a whole belongs where it is used; one about a part of it, at the anchor.
    return { value: read.value, place: { ...read.place, start: place.start } };
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], path: Path, place: Place, depth: number) {
    const value: { [key: string]: JsonValue } = {};
    const children = new Map<string | number, Place>();
    const merged: { value: JsonValue; place: Place }[] = [];
    for (const pair of items) {
      const at = offsetOf(pair.key, place.start);
      if (isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === 'PLAIN') {
        merged.push(this.read(pair.value, path, at, depth + 1));
        continue;
      }
      const key = this.#keyOf(pair.key, at, path);
      if (key === undefined) continue;
      if (children.has(key)) {
        this.#report(at, [...path, key], {
          code: 'duplicate-key',
          message: `\`${key}\` is given twice`,
          hint: 'keep one of the two: which one counts differs between YAML readers',
        });
        continue;
      }
      const read = this.read(pair.value, [...path, key], at, depth + 1);
      value[key] = read.value;
      children.set(key, read.place);
    }
    for (const source of merged) this.#merge(source, path, value, children);
    return { value, place: { ...place, children } };
  }

  /** `<<: *defaults`: keys that stand in the map itself win over merged ones, earlier merges over later ones. */
  #merge(
    source: { value: JsonValue; place: Place },
    path: Path,
    value: { [key: string]: JsonValue },
    children: Map<string | number, Place>,
  ): void {
    const list = Array.isArray(source.value) ? source.value : [source.value];
    list.forEach((part, index) => {
      const place = Array.isArray(source.value) ? source.place.children?.get(index) : source.place;
      if (part === null || typeof part !== 'object' || Array.isArray(part) || place === undefined) {
        this.#report(source.place.start, path, {
          code: 'wrong-merge',
          message: 'the merge key `<<` needs a map, or a list of maps',
          hint: 'refer to a map with it (`<<: *defaults`), or delete the line',
        });
        return;
      }
      for (const [key, merged] of Object.entries(part)) {
        const child = place.children?.get(key);
        if (children.has(key) || child === undefined) continue;
        value[key] = merged;
        children.set(key, child);
      }
    });
  }

  /** Keys are strings in JSON: a number or boolean counts as it is written. */
  #keyOf(node: unknown, offset: number, path: Path): string | undefined {
    const resolved = isAlias(node) ? this.#targets.get(node) : node;
    if (isScalar(resolved) && resolved.value !== null && resolved.value !== undefined) {
      const key =
        typeof resolved.value === 'string' ? resolved.value : (resolved.source ?? String(resolved.value));
      if (key !== '__proto__') return key;
    }
    this.#report(offset, path, {
      code: 'wrong-key',
      message: 'a key must be a word or a quoted string',
      hint: 'write `name: value`; if the line was meant as text, quote it',
    });
    return undefined;
  }

  #giveUp(offset: number, path: Path, finding: Finding): void {
    if (!this.gaveUp) this.#report(offset, path, finding);
    this.gaveUp = true;
  }
}

function offsetOf(node: unknown, otherwise = 0): number {
  if (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) return node.range?.[0] ?? otherwise;
  return otherwise;
}
