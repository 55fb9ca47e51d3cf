/** What clusters with isolated members have on the machine beside processes and files. Synchronous, for the reaper. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Network namespaces of a cluster, by the first three numbers of its loopback addresses. */
export function namespacesOf(subnet: string): string[] {
  const id = idOf(subnet);
  return list('/run/netns').filter(name => name === `pgherd-${id}` || name.startsWith(`pgherd-${id}-`));
}

/** Interfaces of the machine that lead into a cluster's network. */
export function linksOf(subnet: string): string[] {
  return list('/sys/class/net').filter(name => name === `pgherd${idOf(subnet)}`);
}

/** Directories below this one on which something is mounted. */
export function mountsBelow(directory: string): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(path => path.startsWith(`${directory}/`));
}

/** Files below this directory that a loop device shows as a disk. */
export function loopsBelow(directory: string): string[] {
  return list('/sys/block')
    .map(name => read(join('/sys/block', name, 'loop', 'backing_file')).trim())
    .filter(path => path.startsWith(`${directory}/`));
}

/** Takes away what a reboot takes away: namespaces with their interfaces, and mounts. */
export function forgetHosts(stateDir: string, subnets: string[]): void {
  for (const path of mountsBelow(stateDir)) spawnSync('/bin/umount', [path]);
  for (const subnet of subnets) {
    for (const link of linksOf(subnet)) spawnSync('/sbin/ip', ['link', 'delete', link]);
    for (const name of namespacesOf(subnet)) spawnSync('/sbin/ip', ['netns', 'delete', name]);
  }
}

function idOf(subnet: string): string {
  return subnet.split('.').slice(1).join('-');
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
