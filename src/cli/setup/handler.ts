import type { Session } from '../session.ts';
import type { SetupReport } from '../surroundings.ts';

/** Looks for what is missing, and installs it unless only a look was asked for. */
export async function setUp(
  session: Session,
  options: { check: boolean; major: number | undefined },
): Promise<SetupReport> {
  const { setup } = session.surroundings.adapters;
  const { check, major } = options;
  const wish = { stateDir: session.stateDir, majorWanted: major };
  return check ? setup.inspect(wish, session.signal) : setup.install(wish, session.context);
}
