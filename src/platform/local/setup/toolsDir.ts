/**
 * Where Patroni is unpacked unless the caller says otherwise: PGHERD_TOOLS_DIR, else `tools` in the state
 * directory, which is PGHERD_STATE_DIR, else root's /var/lib/pgherd or the user's XDG state directory.
 */
export function defaultToolsDir(env: Record<string, string | undefined>, uid: number): string {
  if (env.PGHERD_TOOLS_DIR) return env.PGHERD_TOOLS_DIR;
  if (env.PGHERD_STATE_DIR) return `${env.PGHERD_STATE_DIR}/tools`;
  if (uid === 0) return '/var/lib/pgherd/tools';
  const state = env.XDG_STATE_HOME || `${env.HOME ?? ''}/.local/state`;
  return `${state}/pgherd/tools`;
}
