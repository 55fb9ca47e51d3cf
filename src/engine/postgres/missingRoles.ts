/**
 * Statements of pg_dumpall's globals that make the roles which are not there: their creation, their attributes and
 * passwords, what they are members of. Roles that exist keep theirs.
 */
export function missingRoles(globals: string, existing: readonly string[]): string[] {
  const lines = globals.split('\n').map(line => line.trim());
  const created = lines.flatMap(line => {
    const [, name] = /^CREATE ROLE ("(?:[^"]|"")+"|[^\s;]+);$/.exec(line) ?? [];
    return name === undefined || existing.includes(bare(name)) ? [] : [name];
  });
  return lines.filter(line => {
    const [, role] = /^(?:CREATE|ALTER) ROLE ("(?:[^"]|"")+"|[^\s;]+)[ ;]/.exec(line) ?? [];
    const [, member] = /^GRANT .* TO ("(?:[^"]|"")+"|[^\s;]+)(?: |;)/.exec(line) ?? [];
    const concerned = role ?? member;
    return concerned !== undefined && created.includes(concerned);
  });
}

function bare(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
