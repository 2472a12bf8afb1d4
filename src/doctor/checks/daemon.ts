// Is a letterlock running, and is it this one?

import { finding, type Finding } from '../finding.ts';

export type DaemonFacts =
  | {
      readonly state: 'answers';
      readonly socket: string;
      readonly version: string;
      readonly pid: number;
      readonly user: string;
      readonly ownVersion: string;
      /** Routes that refuse or fail at the moment. */
      readonly troubled: readonly { readonly route: string; readonly state: string }[];
    }
  | {
      readonly state: 'absent';
      readonly tried: readonly { readonly path: string; readonly trouble: string }[];
      readonly denied: string | null;
    }
  | { readonly state: 'odd'; readonly socket: string; readonly message: string };

export function checkDaemon(facts: DaemonFacts): readonly Finding[] {
  switch (facts.state) {
    case 'answers':
      return [versionFinding(facts), ...facts.troubled.map(troubledFinding)];
    case 'absent':
      return [absentFinding(facts)];
    case 'odd':
      return [
        finding('daemon', 'fault', {
          message: facts.message,
          meaning: `Something answers at ${facts.socket}, but not as a letterlock does.`,
          advice: 'Stop it, or name the right socket: --socket PATH.',
        }),
      ];
  }
}

function versionFinding(facts: Extract<DaemonFacts, { state: 'answers' }>): Finding {
  const { version, ownVersion, pid, user, socket } = facts;
  const runs = `letterlock ${version} runs as pid ${pid} (user ${user}) and answers at ${socket}`;
  if (version === ownVersion) return finding('daemon', 'ok', { message: runs });
  return finding('daemon', 'warning', {
    message: `${runs}; this command is ${ownVersion}`,
    meaning: 'What was installed is not what runs.',
    advice: 'Restart the daemon: systemctl restart letterlock.',
  });
}

const troubledFinding = ({ route, state }: { readonly route: string; readonly state: string }): Finding =>
  finding('daemon', 'warning', {
    message: `route ${route} is ${state}`,
    meaning: 'Its last client was not served.',
    advice: 'letterlock pins list shows keys that wait; letterlock probe --all asks the servers again.',
  });

function absentFinding({ tried, denied }: Extract<DaemonFacts, { state: 'absent' }>): Finding {
  if (denied !== null)
    return finding('daemon', 'note', {
      message: `permission to talk to the daemon at ${denied} was denied`,
      meaning: 'What it alone knows is left out here.',
      advice: 'Run: sudo letterlock doctor',
    });
  return finding('daemon', 'note', {
    message: `no daemon is running (tried ${tried.map(({ path, trouble }) => `${path}: ${trouble}`).join(', ')})`,
    meaning: 'The files were looked at instead; what only a daemon knows is left out.',
    advice: 'letterlock run starts one.',
  });
}
