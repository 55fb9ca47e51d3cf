import { z } from 'zod';
import { scheduleProblem } from '../../schedule/cron.ts';
import { parseSpan } from '../../schedule/span.ts';
import type { Findings } from '../findings.ts';
import type { SpecSource } from '../schemaSpec.ts';

const uuid = z.guid();
const instant = z.iso.datetime({ offset: true });

/** Where data comes from and goes to: clone, standby, logical backups. Syntax only; support.ts says what is done. */
export function checkSources(spec: SpecSource, findings: Findings): void {
  checkClone(spec, findings);
  checkStandby(spec, findings);
  checkLogicalBackup(spec, findings);
}

function checkClone(spec: SpecSource, findings: Findings): void {
  const clone = spec.clone;
  if (clone?.uid != null && !uuid.safeParse(clone.uid).success) {
    findings.error(['spec', 'clone', 'uid'], {
      code: 'wrong-value',
      message: `${JSON.stringify(clone.uid)} is no UID`,
      hint: 'copy metadata.uid of the cluster to clone: eight digits, three times four, twelve',
    });
  }
  if (clone?.timestamp != null && !instant.safeParse(clone.timestamp).success) {
    findings.error(['spec', 'clone', 'timestamp'], {
      code: 'wrong-value',
      message: `${JSON.stringify(clone.timestamp)} is no point in time`,
      hint: 'write date, time and offset: "2026-01-31T12:40:33+01:00"',
    });
  }
}

function checkStandby(spec: SpecSource, findings: Findings): void {
  const standby = spec.standby;
  if (standby == null) return;
  const path = ['spec', 'standby'];
  if (standby.s3_wal_path != null && standby.gs_wal_path != null) {
    findings.error([...path, 'gs_wal_path'], {
      code: 'contradiction',
      message: 'a standby cluster cannot follow an archive in S3 and one in Google Cloud Storage',
      hint: 'keep one of s3_wal_path and gs_wal_path',
    });
  }
  if (standby.s3_wal_path == null && standby.gs_wal_path == null && standby.standby_host == null) {
    findings.error(path, {
      code: 'missing-field',
      message: 'spec.standby does not say what to follow',
      hint: 'add standby_host, s3_wal_path or gs_wal_path',
    });
  }
  const port = standby.standby_port;
  if (port != null && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    findings.error([...path, 'standby_port'], {
      code: 'out-of-range',
      message: `${JSON.stringify(port)} is no port`,
      hint: 'write a number from 1 to 65535 in quotes: "5432"',
    });
  }
}

function checkLogicalBackup(spec: SpecSource, findings: Findings): void {
  const schedule = spec.logicalBackupSchedule;
  const problem =
    schedule == null ? undefined : scheduleProblem({ cron: schedule, timeZone: undefined })?.message;
  if (problem !== undefined) {
    findings.error(['spec', 'logicalBackupSchedule'], {
      code: 'wrong-schedule',
      message: `${JSON.stringify(schedule)} ${problem}`,
      hint: 'write five fields, minute to weekday: "30 0 * * *" is half past midnight each day',
    });
  }
  const retention = spec.logicalBackupRetention;
  if (retention != null && parseSpan(retention) === undefined) {
    findings.error(['spec', 'logicalBackupRetention'], {
      code: 'wrong-value',
      message: `${JSON.stringify(retention)} is no span of time`,
      hint: 'write "3 days", "2 weeks" or "1 month"',
    });
  }
}
