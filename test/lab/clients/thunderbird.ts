// Thunderbird without a window, driven from inside: accounts as its dialogue makes them, mail fetched and sent by
// its own services. What it would show in a dialogue is what it hands to its feedback listeners.

import { readFile } from 'node:fs/promises';
import { DialogueOpened, Marionette } from '../marionette.ts';
import { freePorts } from '../port.ts';
import { start } from '../run.ts';
import {
  atHome,
  bothModes,
  crlf,
  password,
  recipient,
  sender,
  user,
  type Fetched,
  type Reader,
  type Seen,
  type Sender,
  type Where,
} from './client.ts';

/** Its own numbers for no TLS, STARTTLS always, and TLS at once. */
const socketTypes = { none: 0, starttls: 2, implicit: 3 } as const;

type Preferences = Readonly<Record<string, string | number | boolean>>;

/** An account as its dialogue writes it down: made later, it would load its window anew. */
const accountOf = ({ host, port, tls }: Where, protocol: 'imap' | 'pop3'): Preferences => ({
  'mail.accountmanager.accounts': 'account1',
  'mail.accountmanager.defaultaccount': 'account1',
  'mail.account.account1.server': 'server1',
  'mail.account.account1.identities': 'id1',
  'mail.identity.id1.useremail': sender,
  'mail.identity.id1.valid': true,
  'mail.server.server1.type': protocol,
  'mail.server.server1.name': 'lab',
  'mail.server.server1.hostname': host,
  'mail.server.server1.port': port,
  'mail.server.server1.userName': user,
  'mail.server.server1.socketType': socketTypes[tls],
  'mail.server.server1.authMethod': 3,
  'mail.server.server1.login_at_startup': false,
  'mail.server.server1.check_new_mail': false,
  'mail.server.server1.leave_on_server': true,
});

const settings = (port: number, account: Preferences): string =>
  Object.entries({
    ...account,
    'marionette.port': port,
    'app.update.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'mail.provider.suppress_dialog_on_startup': true,
    'mail.spotlight.firstRunDone': true,
    'mail.shell.checkDefaultClient': false,
    'mailnews.start_page.enabled': false,
    'mail.server.default.check_all_folders_for_new': false,
    // Seconds it waits for a server.
    'mailnews.tcptimeout': 30,
  })
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');

/** Trusts the CA, and collects what would be shown. `shown` is an array of texts. */
const prelude = `
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs');
  const shown = [];
  const feedback = {
    QueryInterface: ChromeUtils.generateQI(['nsIMsgUserFeedbackListener']),
    onAlert(message) { shown.push(message); return true; },
    onCertError(info) { shown.push('certificate: ' + info.errorCodeString); return true; },
  };
  MailServices.mailSession.addUserFeedbackListener(feedback);
  if (given.ca !== '')
    Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB).addCertFromBase64(given.ca, 'CT,C,C');
  const { setTimeout } = ChromeUtils.importESModule('resource://gre/modules/Timer.sys.mjs');
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (holds) => {
    for (let turn = 0; turn < 400; turn += 1) {
      const found = holds();
      if (found || shown.length > 0) return found;
      await pause(100);
    }
    return null;
  };
  const listening = () => {
    const listener = { QueryInterface: ChromeUtils.generateQI(['nsIUrlListener']), status: null };
    listener.OnStartRunningUrl = () => {};
    listener.OnStopRunningUrl = (url, status) => { listener.status = status; };
    return listener;
  };
  const rawOf = (folder, header) => new Promise((resolve, reject) => {
    const chunks = [];
    const listener = {
      QueryInterface: ChromeUtils.generateQI(['nsIStreamListener', 'nsIRequestObserver']),
      onStartRequest() {},
      onDataAvailable(request, stream, offset, count) {
        const input = Cc['@mozilla.org/binaryinputstream;1'].createInstance(Ci.nsIBinaryInputStream);
        input.setInputStream(stream);
        chunks.push(input.readBytes(count));
      },
      onStopRequest(request, status) {
        if (Components.isSuccessCode(status)) resolve(btoa(chunks.join('')));
        else reject(new Error('streaming ended with ' + status));
      },
    };
    const uri = folder.getUriForMsg(header);
    MailServices.messageServiceFromURI(uri).streamMessage(uri, listener, null, null, false, '', false);
  });
`;

const readScript = `${prelude}
  const [server] = MailServices.accounts.allServers.filter(({ type }) => type === given.protocol);
  server.password = given.password;
  const origin = (given.protocol === 'imap' ? 'imap' : 'mailbox') + '://' + given.host;
  const login = Cc['@mozilla.org/login-manager/loginInfo;1'].createInstance(Ci.nsILoginInfo);
  login.init(origin, null, origin, given.user, given.password, '', '');
  await Services.logins.addLoginAsync(login);
  const inboxOf = () => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  const listener = listening();
  if (given.protocol === 'imap') {
    server.performExpand(null);
    const inbox = await until(inboxOf);
    if (!inbox) return { shown, messages: [] };
    inbox.getNewMessages(null, listener);
  } else {
    const inbox = inboxOf();
    const { msgWindow } = Services.wm.getMostRecentWindow('mail:3pane');
    MailServices.pop3.GetNewMail(msgWindow, listener, inbox, server);
  }
  await until(() => listener.status !== null);
  // It makes its folders anew when it has seen those of the server.
  const inbox = await until(inboxOf);
  if (!inbox) return { shown: [...shown, 'status ' + listener.status], messages: [] };
  await until(() => !Components.isSuccessCode(listener.status ?? 1) || inbox.getTotalMessages(false) > 0);
  const messages = [];
  if (shown.length === 0)
    for (const header of [...inbox.messages]) messages.push(await rawOf(inbox, header));
  await pause(300);
  return { shown: [...shown, 'status ' + listener.status, 'total ' + inbox.getTotalMessages(false)], messages };
`;

const sendScript = `${prelude}
  const server = MailServices.outgoingServer.createServer('smtp');
  const smtp = server.QueryInterface(Ci.nsISmtpServer);
  smtp.hostname = given.host;
  smtp.port = given.port;
  server.socketType = given.socketType;
  server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
  server.username = given.user;
  server.password = given.password;
  const identity = MailServices.accounts.createIdentity();
  identity.email = given.from;
  identity.smtpServerKey = server.key;
  identity.doFcc = false;
  const file = Cc['@mozilla.org/file/local;1'].createInstance(Ci.nsIFile);
  file.initWithPath(given.file);
  const addresses = MailServices.headerParser.makeFromDisplayAddress(given.to);
  let status = null;
  let text = '';
  const listener = {
    QueryInterface: ChromeUtils.generateQI(['nsIMsgOutgoingListener']),
    onSendStart() {},
    onSendStop(uri, ended, info, message) {
      text = message ?? '';
      if (info && info.errorCodeString) shown.push('certificate: ' + info.errorCodeString);
      status = ended;
    },
  };
  server.sendMailMessage(file, addresses, [], identity, given.from, given.password, null, false, '', listener);
  await until(() => status !== null);
  await pause(300);
  return { shown: [...shown, text, 'status ' + status], messages: [], sent: status === 0 };
`;

interface Answer {
  readonly shown: readonly string[];
  readonly messages: readonly string[];
  readonly sent?: boolean;
}

const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && 'shown' in value && 'messages' in value;

/** Accepts what a server shows for good, as the dialogue about it does; the file in which it remembers that. */
const overrideScript = `
  const { setTimeout } = ChromeUtils.importESModule('resource://gre/modules/Timer.sys.mjs');
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const certificate = Cc['@mozilla.org/security/x509certdb;1']
    .getService(Ci.nsIX509CertDB)
    .constructX509FromBase64(given.certificate);
  Cc['@mozilla.org/security/certoverride;1']
    .getService(Ci.nsICertOverrideService)
    .rememberValidityOverride(given.host, given.port, {}, certificate, false);
  const file = PathUtils.join(PathUtils.profileDir, 'cert_override.txt');
  for (let turn = 0; turn < 200; turn += 1) {
    await pause(100);
    if (!(await IOUtils.exists(file))) continue;
    const text = await IOUtils.readUTF8(file);
    if (text.includes(given.host)) return { shown: [text], messages: [] };
  }
  return { shown: [], messages: [] };
`;

interface Work {
  readonly script: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly message: Buffer | null;
  readonly account?: Preferences;
  /** Certificates it accepted before, as cert_override.txt. */
  readonly overrides?: string;
}

async function inThunderbird(
  where: Where,
  { script, given, message, account = {}, overrides }: Work,
): Promise<Answer> {
  return atHome(async (home) => {
    const [port = 0] = await freePorts('127.0.0.1', 1);
    await home.write('profile/user.js', settings(port, account));
    const file = message === null ? '' : await home.write('message.eml', message);
    if (overrides !== undefined) await home.write('profile/cert_override.txt', overrides);
    const ca = where.tls === 'none' || where.caFile === '' ? '' : await base64Of(where.caFile);
    const running = await start(
      [
        'thunderbird',
        '--headless',
        '--no-remote',
        '--marionette',
        '--remote-allow-system-access',
        '--profile',
        home.file('profile'),
      ],
      { env: home.env, cwd: home.path },
    );
    try {
      const marionette = await Marionette.connect(port);
      try {
        const { host, port: at, tls } = where;
        const facts = { user, password, host, port: at, socketType: socketTypes[tls], ca, file, ...given };
        const answer = await marionette.run(script, facts, 90_000);
        if (!isAnswer(answer)) throw new Error(`an odd answer: ${JSON.stringify(answer)}`);
        return answer;
      } catch (error) {
        if (error instanceof DialogueOpened) return { shown: [error.message], messages: [] };
        throw error;
      } finally {
        marionette.close();
      }
    } catch (error) {
      throw new Error(running.output().slice(-1000), { cause: error });
    } finally {
      await running.stop(2_000);
    }
  });
}

const base64Of = async (caFile: string): Promise<string> =>
  (await readFile(caFile, 'latin1')).replaceAll(/-----[A-Z ]+-----|\s/g, '');

const reader = (protocol: 'imap' | 'pop3'): Reader => ({
  name: `thunderbird ${protocol}`,
  protocol,
  showsRefusal: 'whole',
  refusedExit: null,
  modes: bothModes,
  alone: 'implicit',
  read: async (where): Promise<Fetched> => {
    const { shown, messages } = await inThunderbird(where, {
      script: readScript,
      given: { protocol },
      message: null,
      account: accountOf(where, protocol),
    });
    return {
      exit: messages.length > 0 ? 0 : 1,
      shown: shown.join('\n'),
      messages: messages.map((text) => Buffer.from(text, 'base64')),
    };
  },
});

export const thunderbirdImap = reader('imap');
export const thunderbirdPop3 = reader('pop3');

/** Reads over IMAPS with no CA, by what it accepted before. */
export async function readByOverride(
  at: { readonly host: string; readonly port: number },
  overrides: string,
): Promise<Fetched> {
  const where: Where = { ...at, tls: 'implicit', caFile: '' };
  const { shown, messages } = await inThunderbird(where, {
    script: readScript,
    given: { protocol: 'imap' },
    message: null,
    account: accountOf(where, 'imap'),
    overrides,
  });
  return {
    exit: messages.length > 0 ? 0 : 1,
    shown: shown.join('\n'),
    messages: messages.map((text) => Buffer.from(text, 'base64')),
  };
}

/** The cert_override.txt it writes when its user accepts this certificate for good. */
export async function acceptInThunderbird(
  at: { readonly host: string; readonly port: number },
  certificateFile: string,
): Promise<string> {
  const where: Where = { ...at, tls: 'implicit', caFile: '' };
  const given = { certificate: await base64Of(certificateFile) };
  const { shown } = await inThunderbird(where, { script: overrideScript, given, message: null });
  return shown.join('\n');
}

export const thunderbirdSmtp: Sender = {
  name: 'thunderbird smtp',
  protocol: 'smtp',
  showsRefusal: 'whole',
  refusedExit: 1,
  modes: bothModes,
  alone: 'implicit',
  verbatim: true,
  send: async (where, message): Promise<Seen> => {
    const given = { from: sender, to: recipient };
    const work = { script: sendScript, given, message: crlf(message) };
    const { shown, sent = false } = await inThunderbird(where, work);
    return { exit: sent ? 0 : 1, shown: shown.join('\n') };
  },
};
