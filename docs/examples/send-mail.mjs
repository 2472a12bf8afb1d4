// Sends a mail. Nothing in it knows of letterlock.
import { createTransport } from 'nodemailer';

const { HOST: host, PORT, MAIL_USER: user, MAIL_PASSWORD: pass, STARTTLS } = process.env;
const secure = STARTTLS === undefined;
const transport = createTransport({
  host,
  port: Number(PORT),
  secure,
  requireTLS: true,
  auth: { user, pass },
});
const { response } = await transport.sendMail({
  from: 'alice@lab.test',
  to: 'bob@lab.test',
  subject: 'Sent by a program',
  text: 'Hello',
});
console.log(response);
