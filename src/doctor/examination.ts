// A whole examination: looks at everything, then has each check say what it makes of it. It changes nothing and says
// nothing to a server.

import type { Lookup } from '../admin/find.ts';
import type { Config } from '../config.ts';
import { ambientTrust, refuseUnsafeSwitches } from '../daemon/environment.ts';
import { CommandError } from '../errors.ts';
import type { Build } from '../ops/build.ts';
import { targetsOf } from '../proxy/route.ts';
import { checkAnchors } from './checks/anchors.ts';
import { checkClock } from './checks/clock.ts';
import { checkConfiguration, type ConfigurationFacts } from './checks/configuration.ts';
import { checkContainer } from './checks/container.ts';
import { checkDaemon } from './checks/daemon.ts';
import { checkDescriptors, type DescriptorFacts } from './checks/descriptors.ts';
import { checkDisk } from './checks/disk.ts';
import { checkDns, type DnsFacts } from './checks/dns.ts';
import { checkEnvironment, type EnvironmentFacts } from './checks/environment.ts';
import { checkIpv6 } from './checks/ipv6.ts';
import { checkNode } from './checks/node.ts';
import { checkPermissions } from './checks/permissions.ts';
import { checkPorts } from './checks/ports.ts';
import { checkProcess, type ProcessFacts } from './checks/process.ts';
import { checkStore } from './checks/store.ts';
import { checkUpstreams, type UpstreamFacts } from './checks/upstreams.ts';
import type { Finding } from './finding.ts';
import { seeAnchors } from './sights/anchors.ts';
import { seeSync } from './sights/clock.ts';
import { seeContainer } from './sights/container.ts';
import { seeDaemon, type DaemonSight } from './sights/daemon.ts';
import { seeDisk, seeMount } from './sights/files.ts';
import { seeIpv6, seeNames, seeServers } from './sights/network.ts';
import { seePermissions, type Kept } from './sights/permissions.ts';
import { seePorts } from './sights/ports.ts';
import { seeCoreLimit, seeFileLimit, seeNode, seeUid } from './sights/process.ts';
import { seeStore } from './sights/store.ts';

export interface Patient {
  /** That of the file, or, where it has problems, the default one. */
  readonly config: Config;
  readonly configuration: ConfigurationFacts;
  readonly secrets: Pick<Kept, 'fileHoldsPasswords' | 'passwordFiles'>;
  readonly lookup: Lookup;
  readonly build: Build;
  readonly env: NodeJS.ProcessEnv;
  readonly execArgv: readonly string[];
  readonly now: number;
  /** `offline`: no name is looked up and nobody is dialled. */
  readonly network: 'online' | 'offline';
}

/** In the order of the report. */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const { config, configuration, build, env, now } = patient;
  const { routes, state } = config;
  const [daemon, container, sync] = await Promise.all([
    seeDaemon(patient.lookup, build.version),
    seeContainer(env),
    seeSync(env),
  ]);
  const [anchors, store, mount, disk, places, dns, upstreams] = await Promise.all([
    seeAnchors(routes),
    seeStore(state, daemon),
    seeMount(state),
    seeDisk(state),
    seePorts(config, daemon.status),
    seeDns(patient),
    seeUpstreams(patient),
  ]);
  const policies = routes.flatMap(targetsOf).map(({ trust }) => trust.policy);
  const [filesystem, mountedAt] = [mount?.filesystem ?? null, mount?.point ?? null];
  return [
    ...checkConfiguration(configuration),
    ...checkEnvironment(seeEnvironment(patient)),
    ...checkNode(seeNode(now)),
    ...checkClock({ now, builtAt: build.builtAt, ...sync, container }),
    ...checkAnchors({ sets: anchors, node: process.versions.node, now }),
    ...checkDaemon(daemon.facts),
    ...checkStore(store),
    ...checkPermissions(await seePermissions(await keptOf(patient, daemon))),
    ...checkContainer({ container, state, filesystem, mountedAt, policies }),
    ...checkDisk(disk),
    ...checkPorts({ places }),
    ...checkIpv6(await seeIpv6(dns)),
    ...checkDns(dns),
    ...checkUpstreams(upstreams),
    ...checkDescriptors(await seeDescriptors(config, daemon)),
    ...checkProcess(await seeProcess(daemon)),
  ];
}

async function seeDns({ config, network }: Patient): Promise<DnsFacts> {
  if (network === 'offline') return { state: 'offline' };
  return { state: 'asked', names: await seeNames(config.routes) };
}

async function seeUpstreams({ config, network }: Patient): Promise<UpstreamFacts> {
  if (network === 'offline') return { state: 'offline' };
  return { state: 'asked', servers: await seeServers(config.routes) };
}

function seeEnvironment({ env, execArgv }: Patient): EnvironmentFacts {
  const ambient = ambientTrust(env);
  try {
    refuseUnsafeSwitches(execArgv, env);
    return { ambient, refused: null };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ambient, refused: error };
  }
}

async function keptOf({ config, configuration, secrets }: Patient, { status }: DaemonSight): Promise<Kept> {
  const daemonUid = status === null ? null : await seeUid(status.pid);
  return { config, file: configuration.file, ...secrets, daemonUid };
}

/** What the daemon lets in is not told by it: the configuration here is taken to be its own. */
async function seeDescriptors({ routes }: Config, { status }: DaemonSight): Promise<DescriptorFacts> {
  return {
    limit: await seeFileLimit(status?.pid ?? 'self'),
    whose: status === null ? 'command' : 'daemon',
    connections: routes.reduce((sum, { limits }) => sum + limits.connections, 0),
    warm: routes.reduce((sum, { warm }) => sum + warm, 0),
  };
}

async function seeProcess({ status }: DaemonSight): Promise<ProcessFacts> {
  return {
    whose: status === null ? 'command' : 'daemon',
    uid: status === null ? (process.getuid?.() ?? null) : await seeUid(status.pid),
    coreBytes: await seeCoreLimit(status?.pid ?? 'self'),
  };
}
