// node inspect.mjs mail.example.net:587 smtp
import { Tofu } from 'letterlock';
import { escapeText } from 'letterlock/certificate';

const [, , server = 'mail.example.net:587', starttls] = process.argv;
const tofu = await Tofu.open({ store: 'memory' });

const seen = await tofu.inspect(server, starttls === undefined ? {} : { starttls });
console.log(seen.faults, seen.verdicts.ca, seen.verdicts.tofu);

for (const { subject, sha256 } of seen.chain) console.log(escapeText(subject), sha256);
await tofu.close();
