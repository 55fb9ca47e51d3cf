import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import { closest } from '../suggest.ts';
import { isCidr } from './exposure.ts';

const types = ['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc'];
const methods = [
  'trust',
  'reject',
  'scram-sha-256',
  'md5',
  'password',
  'gss',
  'ident',
  'peer',
  'ldap',
  'radius',
  'cert',
  'pam',
  'bsd',
  'oauth',
];
const keywords = ['all', 'samehost', 'samenet'];

interface Fault {
  message: string;
  hint: string;
}

/** Checks the syntax of each line: PostgreSQL keeps the old rules, silently, when one line of a new file is wrong. */
export function checkHbaLines(lines: string[], path: Path, findings: Findings): void {
  lines.forEach((line, index) => {
    const at = [...path, index];
    const fault = lineFault(line);
    if (fault !== undefined) {
      findings.error(at, { code: 'wrong-hba-line', ...fault });
      return;
    }
    const fields = tokens(line) ?? [];
    if (fields.includes('trust') && fields[0] !== 'local') {
      findings.warn(at, {
        code: 'risky-value',
        message: 'this line lets people in over the network without a password',
        hint: 'write scram-sha-256 in the place of trust',
      });
    } else if (fields[0] === 'host' || fields[0] === 'hostnossl') {
      if (fields.includes('reject')) return;
      findings.warn(at, {
        code: 'risky-value',
        message: 'this line lets clients in without TLS',
        hint: `write hostssl in the place of ${fields[0]}`,
      });
    }
  });
}

/** What is wrong with a line, or undefined. Comments and empty lines are fine. */
function lineFault(line: string): Fault | undefined {
  if (/[\r\n\0]/.test(line))
    return { message: 'this entry holds more than one line', hint: 'write one entry per line' };
  const fields = tokens(line);
  if (fields === undefined)
    return { message: 'a double quote is not closed in this line', hint: 'close it, or delete it' };
  const [type, database, user, ...rest] = fields;
  if (type === undefined) return undefined;
  if (!types.includes(type)) {
    if (type.startsWith('include') || type.startsWith('@')) {
      return { message: 'other files cannot be included', hint: 'write their lines here' };
    }
    const near = closest(type, types);
    return {
      message: `a line cannot begin with ${JSON.stringify(type)}`,
      hint: near === undefined ? `begin it with ${types.join(', ')}` : `did you mean ${near}?`,
    };
  }
  if (database === undefined || user === undefined || rest.length === 0) {
    return {
      message: 'this line is too short',
      hint:
        type === 'local'
          ? 'write: local DATABASE USER METHOD'
          : `write: ${type} DATABASE USER ADDRESS METHOD`,
    };
  }
  if ([database, user].some(field => field.startsWith('@')))
    return { message: 'other files cannot be included', hint: 'write the names here' };
  if (type === 'local') return methodFault(rest);
  return addressFault(rest, type) ?? methodFault(rest.slice(isAddress(rest[0] ?? '') ? 2 : 1));
}

function addressFault(rest: string[], type: string): Fault | undefined {
  const [address = '', mask] = rest;
  if (isAddress(address)) {
    return mask !== undefined && isAddress(mask)
      ? undefined
      : {
          message: `the address ${address} has no mask`,
          hint: `write ${address}/${address.includes(':') ? '128' : '32'} for this one address`,
        };
  }
  if (methods.includes(address)) {
    return {
      message: 'this line names no address',
      hint: `write: ${type} DATABASE USER ADDRESS METHOD; ADDRESS may be all`,
    };
  }
  if (keywords.includes(address) || isCidr(address) || /^\.?[A-Za-z][A-Za-z0-9.-]*$/.test(address))
    return undefined;
  return {
    message: `${JSON.stringify(address)} is no address`,
    hint: 'write all, samenet, a network like 10.0.0.0/8, or a host name',
  };
}

function methodFault(rest: string[]): Fault | undefined {
  const [method, ...options] = rest;
  if (method === undefined)
    return { message: 'this line names no method', hint: 'end it with scram-sha-256' };
  if (!methods.includes(method)) {
    const near = closest(method, methods);
    return {
      message: `${JSON.stringify(method)} is no method of authentication`,
      hint: near === undefined ? 'write scram-sha-256' : `did you mean ${near}?`,
    };
  }
  const wrong = options.find(option => !/^[a-z_]+=/i.test(option));
  if (wrong === undefined) return undefined;
  return {
    message: `${JSON.stringify(wrong)} after the method is no option`,
    hint: 'write options as name=value, or delete it',
  };
}

/** A single address, without a mask length. */
function isAddress(text: string): boolean {
  return isCidr(`${text}/32`) || isCidr(`${text}/128`);
}

/**
 * Splits a line as PostgreSQL does: blanks part fields, commas join names, quotes protect both, `#` begins a
 * comment. Undefined when a quote stays open.
 */
function tokens(line: string): string[] | undefined {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  let started = false;
  for (const char of line) {
    if (char === '"') {
      quoted = !quoted;
      started = true;
    } else if (!quoted && char === '#') {
      break;
    } else if (!quoted && /\s/.test(char) && !field.endsWith(',')) {
      if (started) fields.push(field);
      field = '';
      started = false;
    } else if (quoted || !/\s/.test(char)) {
      field += char;
      started = true;
    }
  }
  if (quoted) return undefined;
  if (started) fields.push(field);
  return fields;
}
