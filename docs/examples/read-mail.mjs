// Reads the subjects of the mails in an INBOX. Nothing in it knows of letterlock.
import { ImapFlow } from 'imapflow';

const { HOST: host, PORT, MAIL_USER: user, MAIL_PASSWORD: pass, STARTTLS } = process.env;
const secure = STARTTLS === undefined;
const client = new ImapFlow({ host, port: Number(PORT), secure, auth: { user, pass }, logger: false });
await client.connect();
await client.mailboxOpen('INBOX');
for await (const { envelope } of client.fetch('1:*', { envelope: true })) console.log(envelope.subject);
await client.logout();
