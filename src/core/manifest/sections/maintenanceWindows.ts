import type { Findings } from '../findings.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { MaintenanceWindow } from '../spec.ts';

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const syntax =
  /^ *(?:(Sun|Mon|Tue|Wed|Thu|Fri|Sat):)?(2[0-3]|[01]?\d):([0-5]?\d)-(2[0-3]|[01]?\d):([0-5]?\d) *$/;

/** `HH:MM-HH:MM` or `Sat:HH:MM-HH:MM`, UTC. None: planned interruptions may happen at any time. */
export function readMaintenanceWindows(spec: SpecSource, findings: Findings): MaintenanceWindow[] {
  return (spec.maintenanceWindows ?? []).flatMap((text, index) => {
    const path = ['spec', 'maintenanceWindows', index];
    const window = parseWindow(text);
    if (window === undefined) {
      findings.error(path, {
        code: 'wrong-window',
        message: `${JSON.stringify(text)} is no maintenance window`,
        hint: `write "01:00-04:00" for every day, or "Sat:01:00-04:00"; days are ${weekdays.join(', ')}`,
      });
      return [];
    }
    if (window.endMinute <= window.startMinute) {
      const day = window.weekday === undefined ? '' : `${weekdays[window.weekday]}:`;
      const next = window.weekday === undefined ? '' : `${weekdays[(window.weekday + 1) % 7]}:`;
      const end = clock(window.endMinute);
      findings.error(path, {
        code: 'wrong-window',
        message: `the window ${JSON.stringify(text)} ends before it begins, or when it begins`,
        hint:
          window.endMinute === 0 || window.endMinute === window.startMinute
            ? `write an end after ${clock(window.startMinute)}, 23:59 at the latest`
            : `over midnight, write two: "${day}${clock(window.startMinute)}-23:59" and "${next}00:00-${end}"`,
      });
      return [];
    }
    return [window];
  });
}

function parseWindow(text: string): MaintenanceWindow | undefined {
  const match = syntax.exec(text);
  if (match === null) return undefined;
  const [, day, startHour, startMinute, endHour, endMinute] = match;
  return {
    weekday: day === undefined ? undefined : weekdays.indexOf(day),
    startMinute: Number(startHour) * 60 + Number(startMinute),
    endMinute: Number(endHour) * 60 + Number(endMinute),
  };
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}
