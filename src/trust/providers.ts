// Mail providers so big that their servers always show CA-verified certificates: a first use of any other
// certificate under their names is an impostor, so they get policy `ca` unless somebody chose for that very server.

/** A host belongs to a provider when it is one of these domains or lies below one. */
// prettier-ignore
const domains: readonly string[] = [
  // Google
  'gmail.com', 'googlemail.com', 'google.com',
  // Microsoft
  'outlook.com', 'office365.com', 'office.com', 'hotmail.com', 'live.com',
  // Yahoo, AOL
  'yahoo.com', 'yahoo.co.jp', 'yahoo.co.uk', 'yahoo.de', 'yahoo.fr', 'yahoo.it', 'ymail.com', 'aol.com', 'verizon.net', 'att.net',
  // Apple
  'icloud.com', 'me.com', 'mac.com',
  // Germany, Austria, Switzerland
  'gmx.net', 'gmx.com', 'gmx.de', 'gmx.at', 'gmx.ch', 'web.de', 'mail.com', '1und1.de', '1and1.com', 'ionos.de', 'ionos.com', 'ionos.co.uk', 'ionos.es', 'ionos.fr', 'kundenserver.de', 't-online.de', 'magenta.de', 'freenet.de', 'posteo.de', 'mailbox.org', 'strato.de', 'arcor.de', 'vodafonemail.de', 'bluewin.ch', 'a1.net',
  // Specialists
  'fastmail.com', 'messagingengine.com', 'zoho.com', 'zoho.eu', 'zoho.in', 'runbox.com', 'migadu.com', 'mailo.com', 'hey.com',
  // Russia, Czechia, Poland
  'yandex.ru', 'yandex.com', 'mail.ru', 'rambler.ru', 'seznam.cz', 'wp.pl', 'o2.pl', 'onet.pl', 'interia.pl',
  // Americas
  'comcast.net', 'xfinity.com', 'cox.net', 'charter.net', 'spectrum.net', 'rogers.com', 'shaw.ca', 'telus.net', 'uol.com.br', 'terra.com.br',
  // France, Italy, Spain, Benelux, Britain
  'orange.fr', 'wanadoo.fr', 'free.fr', 'laposte.net', 'sfr.fr', 'bbox.fr', 'libero.it', 'virgilio.it', 'tiscali.it', 'tim.it', 'aruba.it', 'telefonica.net', 'movistar.es', 'ziggo.nl', 'kpnmail.nl', 'telenet.be', 'proximus.be', 'btinternet.com', 'sky.com', 'virginmedia.com',
  // Asia, Pacific
  'qq.com', '163.com', '126.com', 'yeah.net', 'sina.com', 'sohu.com', 'aliyun.com', 'naver.com', 'daum.net', 'rediffmail.com', 'bigpond.com', 'telstra.com', 'optusnet.com.au',
  // Big hosting platforms
  'emailsrvr.com', 'secureserver.net', 'ovh.net', 'gandi.net', 'amazonaws.com', 'awsapps.com', 'dreamhost.com', 'hostgator.com', 'privateemail.com', 'titan.email', 'hostinger.com',
];

const known: ReadonlySet<string> = new Set(domains);

/** `host` is canonical: lower case, A-labels, no final dot. */
export function isBigProvider(host: string): boolean {
  const labels = host.split('.');
  return labels.some((_, at) => known.has(labels.slice(at).join('.')));
}
