// What letterlock owes where connections are made ahead of a client: whoever comes is served as on a new one or refused as on a
// new one, by a server whose key was judged; nothing is said on one before a client has it; none serves two; and of one that
// spoke, ended or was refused meanwhile, nothing comes through. Every sentence it returns is a finding.

import { codeOf, judgeVisit, late } from './oracle.mjs';
import { holds } from './sight.mjs';

/** So many are made for a visit at most, the one that serves it and one to take its place among them; and some for all. */
const most = { each: 2, more: 2 };

/** It is let go before a client comes, or when he does. */
const letGoMs = 1000;

export function judgeWarm(stage, read) {
  const { script, visits, ahead, talks, secret, marks, playedAt } = stage;
  const all = [...ahead, ...talks];
  const found = [];
  const heard = Buffer.concat(visits.map((one) => one.heard));
  if (all.some((talk) => holds(talk.clear, secret.forms))) found.push('the password was said in clear');
  if (all.some(({ shown, inside }) => shown !== 'good' && inside.length > 0))
    found.push('something was said to a server whose key is another');
  // One that is hasty says it twice.
  const logins = script.client === 'hasty' ? 2 : 1;
  if (all.some((talk) => loginsIn(talk, secret) > logins)) found.push('one connection served two clients');
  if (holds(heard, [marks.clear])) found.push('what the server said in clear reached the client');
  if (ahead.length === 0) found.push(`${late} none was made ahead of a client`);
  if (script.keeps === 'no') {
    if (ahead.some(({ inside }) => inside.length > 0))
      found.push('a client was given a connection that was good no more');
    if (holds(heard, [marks.ahead]))
      found.push('what was said on a connection that was good no more reached the client');
    if (!script.lingers && ahead.some(({ goneAt }) => goneAt === null || goneAt > playedAt + letGoMs))
      found.push('a connection that was good no more was kept');
  }
  for (const [index, one] of visits.entries())
    found.push(...judgeEach(one, { stage, read, all, ends: script.each?.[index] ?? script.ends }));
  const bound = visits.length * most.each + most.more;
  if (talks.length > bound) found.push(`${talks.length} connections were made for ${visits.length} clients`);
  return found;
}

function judgeEach(one, { stage, read, all, ends }) {
  const { script, boundMs } = stage;
  const code = codeOf(one, read);
  if (code !== null)
    return judgeVisit(one, {
      stage: { ...stage, name: stage.name, boundMs, script: { ...script, ends } },
      read,
      code,
    });
  if (!ends.includes('accept') || one.end !== 'served')
    return [
      `${one.end} in place of ${ends.join(' or ')}: ${JSON.stringify(one.heard.toString('latin1').slice(0, 200))}`,
    ];
  const found = [];
  if (one.ms > boundMs + 1500) found.push(`${late} served after ${Math.round(one.ms)} ms`);
  const server = all.find((talk) => isWhatWasHeard(talk, { one, script, read }));
  if (server === undefined)
    found.push(
      `the client heard what no server said inside TLS: ${JSON.stringify(one.heard.toString('latin1').slice(0, 300))}`,
    );
  return found;
}

/** One server said all that the client heard, and heard what the client said. */
function isWhatWasHeard({ inside, saidInside }, { one, script, read }) {
  const greeting =
    script.mode === 'starttls' ? Buffer.from(read.localGreeting(script.protocol)) : Buffer.alloc(0);
  const said = Buffer.concat([greeting, ...saidInside]);
  return (
    inside.length > 0 &&
    one.said.subarray(0, inside.length).equals(inside) &&
    said.subarray(0, one.heard.length).equals(one.heard)
  );
}

const loginsIn = ({ inside }, { password, plain }) => {
  const text = inside.toString('latin1');
  return text.split(password).length - 1 + text.split(plain).length - 1;
};

/** Of scripts whose connections made ahead are good: how many there are, and how many of them served a client. */
export function readyUsed(stages) {
  const good = stages.filter(({ script, visits }) => script.keeps === 'yes' && visits.length > 0);
  const served = good.filter(({ ahead }) => ahead.some(({ inside }) => inside.length > 0));
  return { good: good.length, served: served.length };
}
