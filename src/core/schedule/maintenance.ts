/** Whether planned interruptions may happen now. */
import type { MaintenanceWindow } from '../manifest/spec.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** No windows: at any time. The minute that a window ends with still belongs to it: 23:59 is the end of a day. */
export function mayInterrupt(windows: readonly MaintenanceWindow[], now: Date): boolean {
  if (windows.length === 0) return true;
  const minute = now.getUTCHours() * 60 + now.getUTCMinutes();
  return windows.some(
    ({ weekday, startMinute, endMinute }) =>
      (weekday === undefined || weekday === now.getUTCDay()) && minute >= startMinute && minute <= endMinute,
  );
}

/** As a person writes them: "Sat 01:00-04:00 UTC, …". */
export function describeWindows(windows: readonly MaintenanceWindow[]): string {
  const clock = (minutes: number) =>
    [Math.floor(minutes / 60), minutes % 60].map(part => String(part).padStart(2, '0')).join(':');
  return windows
    .map(({ weekday, startMinute, endMinute }) => {
      const day = weekday === undefined ? '' : `${DAYS[weekday]} `;
      return `${day}${clock(startMinute)}-${clock(endMinute)} UTC`;
    })
    .join(', ');
}
