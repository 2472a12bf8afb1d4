// The text/event-stream format (HTML standard, section 9.2.6) as a machine without I/O: text in, messages out. A line
// or a message that grows beyond its limit is an error, not memory.

export interface Message {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

const maxMessage = 262_144;

/** Each call takes the next text and gives the messages that are whole. @throws RangeError beyond the limit */
export function messageReader(): (text: string) => readonly Message[] {
  let rest = '';
  let draft = emptyDraft;
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    const messages: Message[] = [];
    for (const line of lines) {
      if (line !== '') {
        draft = withLine(draft, line);
        continue;
      }
      if (draft.data !== null) messages.push({ id: draft.id, event: draft.event, data: draft.data });
      draft = emptyDraft;
    }
    if (rest.length > maxMessage || (draft.data?.length ?? 0) > maxMessage)
      throw new RangeError('the message is too long');
    return messages;
  };
}

interface Draft {
  readonly id: string | null;
  readonly event: string;
  readonly data: string | null;
}

const emptyDraft: Draft = { id: null, event: 'message', data: null };

function withLine(draft: Draft, line: string): Draft {
  const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
  switch (field) {
    case 'id':
      return { ...draft, id: value };
    case 'event':
      return { ...draft, event: value };
    case 'data':
      return { ...draft, data: draft.data === null ? value : `${draft.data}\n${value}` };
    default:
      // A comment, or a field nobody knows.
      return draft;
  }
}
