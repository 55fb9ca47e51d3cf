import { scheduleProblem } from '../../schedule/cron.ts';
import { parseSpan } from '../../schedule/span.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { BackupSchedule, BackupSpec, LogicalBackupSpec, RepositorySpec } from '../specBackup.ts';

type Section = NonNullable<SpecSource['backup']>;
type RepositorySource = NonNullable<Section['repositories']>[number];

const path: Path = ['spec', 'backup'];
const kinds = ['members', 'directory', 's3', 'sftp'] as const;

/** `spec.backup`, and what the format itself has for logical backups. */
export function readBackup(spec: SpecSource, findings: Findings): BackupSpec {
  const section = spec.backup ?? {};
  checkLines(section, findings);
  return {
    repositories: readRepositories(section, findings),
    encryption: section.encryption ?? true,
    compression: section.compression ?? 'zst',
    schedule: readSchedule(section, findings),
    retention: readRetention(section, findings),
    verify: {
      afterBackup: section.verify?.afterBackup ?? 'full',
      schedule: section.verify?.schedule ?? undefined,
    },
    logical: readLogical(spec, findings),
  };
}

function readRepositories(section: Section, findings: Findings): RepositorySpec[] {
  const sources = section.repositories ?? [{ name: 'members', members: {} }];
  const repositories = sources.flatMap((source, index) => {
    const read = readRepository(source, [...path, 'repositories', index], findings);
    return read === undefined ? [] : [read];
  });
  const seen = new Map<string, string>();
  for (const [index, repository] of repositories.entries()) {
    const at = [...path, 'repositories', index];
    const place = placeOf(repository);
    const [named, placed] = [seen.get(`name ${repository.name}`), seen.get(place)];
    if (named !== undefined || placed !== undefined) {
      findings.error([...at, 'name'], {
        code: 'contradiction',
        message:
          named !== undefined
            ? `two repositories are called ${JSON.stringify(repository.name)}`
            : `${repository.name} is the same place as ${placed}`,
        hint: named !== undefined ? 'give each a name of its own' : 'keep one of the two',
      });
    }
    seen.set(`name ${repository.name}`, repository.name).set(place, repository.name);
  }
  return repositories;
}

/** Two repositories in one place would delete each other's files. */
function placeOf(repository: RepositorySpec): string {
  switch (repository.kind) {
    case 'members':
      return 'members';
    case 'directory':
      return `directory ${repository.path.replace(/\/+$/, '')}`;
    case 's3':
      return `s3 ${repository.endpoint} ${repository.bucket} ${repository.path}`;
    case 'sftp':
      return `sftp ${repository.host} ${repository.path}`;
  }
}

function readRepository(source: RepositorySource, at: Path, findings: Findings): RepositorySpec | undefined {
  const { name } = source;
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    findings.error([...at, 'name'], {
      code: 'wrong-name',
      message: `${JSON.stringify(name)} is no name for a repository`,
      hint: 'write 1 to 32 lower-case letters, digits and "-", beginning and ending with a letter or digit',
    });
  }
  const named = kinds.filter(kind => source[kind] != null);
  const [kind] = named;
  if (kind === undefined || named.length > 1) {
    findings.error(at, {
      code: kind === undefined ? 'missing-field' : 'contradiction',
      message:
        kind === undefined
          ? `the repository ${JSON.stringify(name)} does not say where it is`
          : `the repository ${JSON.stringify(name)} is to be in several places: ${named.join(', ')}`,
      hint: `write one of ${kinds.join(', ')}; several repositories are several items of the list`,
    });
    return undefined;
  }
  const { directory, s3, sftp } = source;
  if (directory != null) {
    absolute(directory.path, [...at, 'directory', 'path'], findings);
    return { name, kind: 'directory', path: directory.path, type: directory.type ?? 'auto' };
  }
  if (s3 != null) {
    const { endpoint, bucket } = s3;
    const credentials = s3.credentials ?? undefined;
    const credentialsSecret = s3.credentialsSecret ?? undefined;
    if (credentials !== undefined) absolute(credentials, [...at, 's3', 'credentials'], findings);
    if (credentials === undefined && credentialsSecret === undefined) {
      findings.error([...at, 's3', 'credentials'], {
        code: 'missing-field',
        message: `the bucket of ${JSON.stringify(name)} has no credentials`,
        hint: 'write the path of a file (one machine), or a Secret in credentialsSecret (Kubernetes)',
      });
    }
    return {
      name,
      kind: 's3',
      endpoint,
      bucket,
      credentials,
      credentialsSecret,
      region: s3.region ?? 'us-east-1',
      path: `/${(s3.path ?? 'pgherd').replace(/^\/+|\/+$/g, '')}`,
      pathStyle: s3.pathStyle ?? true,
      verifyTls: s3.verifyTls ?? true,
      caFile: s3.caFile ?? undefined,
    };
  }
  if (sftp != null) {
    absolute(sftp.path, [...at, 'sftp', 'path'], findings);
    const { host, user, path: place, privateKeyFile, hostFingerprint } = sftp;
    const publicKeyFile = sftp.publicKeyFile ?? undefined;
    const port = sftp.port ?? 22;
    return {
      name,
      kind: 'sftp',
      host,
      port,
      user,
      path: place,
      privateKeyFile,
      publicKeyFile,
      hostFingerprint,
    };
  }
  return { name, kind: 'members' };
}

function absolute(text: string, at: Path, findings: Findings): void {
  if (/^\/[^\n]*$/.test(text)) return;
  findings.error(at, {
    code: 'wrong-value',
    message: `${JSON.stringify(text)} is no absolute path`,
    hint: 'write the whole path, beginning with "/"',
  });
}

function readSchedule({ schedule }: Section, findings: Findings): BackupSchedule {
  const timeZone = schedule?.timeZone ?? undefined;
  if (timeZone !== undefined && scheduleProblem({ cron: '0 0 * * *', timeZone }) !== undefined) {
    findings.error([...path, 'schedule', 'timeZone'], {
      code: 'wrong-value',
      message: `${JSON.stringify(timeZone)} is no time zone`,
      hint: 'write a name such as Europe/Berlin or UTC',
    });
  }
  // A schedule that names some times means those, and no others.
  const own = schedule?.full != null || schedule?.differential != null || schedule?.incremental != null;
  return {
    full: schedule?.full ?? (own ? undefined : '0 1 * * 0'),
    differential: schedule?.differential ?? (own ? undefined : '0 1 * * 1-6'),
    incremental: schedule?.incremental ?? undefined,
    timeZone,
  };
}

function readRetention({ retention }: Section, findings: Findings): BackupSpec['retention'] {
  if (retention?.full != null && retention.days != null) {
    findings.error([...path, 'retention', 'days'], {
      code: 'contradiction',
      message: 'backups cannot be kept both by number and by age',
      hint: 'keep one of full and days',
    });
  }
  if (retention?.days != null) return { by: 'days', amount: retention.days };
  return { by: 'full', amount: retention?.full ?? 2 };
}

function readLogical(spec: SpecSource, findings: Findings): LogicalBackupSpec {
  const logical = spec.backup?.logical;
  if (logical?.directory != null) absolute(logical.directory, [...path, 'logical', 'directory'], findings);
  return {
    enabled: spec.enableLogicalBackup ?? false,
    schedule: spec.logicalBackupSchedule ?? '0 2 * * *',
    retention: parseSpan(spec.logicalBackupRetention ?? ''),
    directory: logical?.directory ?? undefined,
    format: logical?.format ?? 'custom',
  };
}

function checkLines(section: Section, findings: Findings): void {
  const lines: [Path, string | null | undefined][] = [
    [['schedule', 'full'], section.schedule?.full],
    [['schedule', 'differential'], section.schedule?.differential],
    [['schedule', 'incremental'], section.schedule?.incremental],
    [['verify', 'schedule'], section.verify?.schedule],
  ];
  for (const [part, line] of lines) {
    if (line == null) continue;
    const problem = scheduleProblem({ cron: line, timeZone: undefined });
    if (problem === undefined) continue;
    findings.error([...path, ...part], {
      code: 'wrong-schedule',
      message: `${JSON.stringify(line)} ${problem.message}`,
      hint: 'write five fields, minute to weekday: "0 1 * * 0" is one o\'clock each Sunday',
    });
  }
}
