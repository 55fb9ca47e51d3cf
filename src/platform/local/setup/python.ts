import { run } from '../../../lib/exec.ts';
import { PYTHON, PYTHON_MODULES } from './needs.ts';

/** What Python's side of Patroni needs in its environment, and nothing of the user's own Python set-up. */
export function patroniEnv(prefix: string): { PYTHONPATH: string; PYTHONNOUSERSITE: string } {
  return { PYTHONPATH: `${prefix}/usr/lib/python3/dist-packages`, PYTHONNOUSERSITE: '1' };
}

interface PythonAnswer {
  /** Modules of PYTHON_MODULES that cannot be imported. */
  absent: string[];
  /** Why Patroni itself does not load, with its libraries present. */
  patroniError: string | null;
  patroniVersion: string | null;
}

// Imports what Patroni will import: finding a module's file says nothing about its own dependencies.
const PROBE = `
import importlib, importlib.util, json, sys
absent, error, version = [], None, None
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except Exception:
        absent.append(name)
if sys.argv[1] == 'patroni':
    try:
        for name in ('patroni.__main__', 'patroni.dcs.etcd3', 'patroni.ctl'):
            importlib.import_module(name)
        version = importlib.import_module('patroni.version').__version__
    except Exception as e:
        error = '%s: %s' % (type(e).__name__, e)
print(json.dumps({'absent': absent, 'patroniError': error, 'patroniVersion': version}))
`;

/** Asks the system's Python what it can import; with `prefix` also whether the Patroni there loads. */
export async function askPython(prefix: string | undefined, signal: AbortSignal): Promise<PythonAnswer> {
  const modules = PYTHON_MODULES.flatMap(need => need.modules);
  const { stdout } = await run([PYTHON, '-c', PROBE, prefix ? 'patroni' : '-', ...modules], {
    signal,
    timeoutMs: 30_000,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', ...(prefix && patroniEnv(prefix)) },
  });
  return JSON.parse(stdout) as PythonAnswer;
}
