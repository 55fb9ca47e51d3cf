import { chartFiles } from './chart.ts';
import { plainYaml } from './plain.ts';

/** Contents of the files in deploy/ that are made of this room, by their paths in the repository. */
export function deployFiles(version: string): Record<string, string> {
  const chart = Object.entries(chartFiles(version)).map(([path, text]) => [`deploy/chart/${path}`, text]);
  return { 'deploy/pgherd.yaml': plainYaml(version), ...Object.fromEntries(chart) };
}
