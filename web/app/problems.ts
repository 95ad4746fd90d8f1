// Why a call could not start or came to an end, in words: what happened, why, what to do.

/**
 * What the button does. again: the same join once more. edit: back to the start page of this room.
 * reload: fetch the page anew. home: to "/".
 */
export type Remedy = 'again' | 'edit' | 'reload' | 'home';

export interface Problem {
  title: string;
  why: string;
  advice: string;
  remedy: Remedy;
  /** Seconds to wait before trying again makes sense. */
  wait: number;
}

type Row = [title: string, why: string, advice: string, remedy: Remedy, wait?: number];

const invitation = 'Ask the person who invited you for a new link. Links of this server carry a personal token after the #.';
const oldPage = 'Reload the page to get the version that fits the server. If it happens again, tell whoever runs the server.';

// The codes of docs/protocol.md section 12, and those of the SDK itself.
const rows: Record<string, Row> = {
  unreachable: ['The server does not answer', 'No connection to the server could be made, or it was lost and did not come back.',
    'Check that you are online. If you are, the server may be down for a moment.', 'again'],
  'unsupported-browser': ['This browser cannot take part', 'It lacks the parts that code and decode sound and pictures (WebCodecs).',
    'Open the link in a current Chrome, Edge, Firefox or Safari.', 'edit'],
  closed: ['The call was ended', 'The server closed it.', 'Join again if the others are still there.', 'again'],
  restart: ['The server is restarting', 'It asked everyone to come back in a moment, and was not back in time.', 'Try again now.', 'again'],
  timeout: ['The connection went silent', 'Nothing came from your side for 10 seconds, so the server let go.',
    'Check your network, then try again.', 'again'],
  internal: ['The server made a mistake', 'Something failed on its side, for your connection alone. The others are still in the call.',
    'Try again. If it happens again, tell whoever runs the server.', 'again'],
  'slow-control': ['Your connection could not keep up', 'Too many messages waited for you.', 'Try again on a better network.', 'again'],
  overloaded: ['The server is full', 'It carries as many calls as it can right now.', 'Wait a little, then try again.', 'again', 5],
  'room-full': ['This room is full', 'It has as many people as it takes.', 'Try again when somebody has left.', 'again', 5],
  'bad-token': ['You need an invitation', 'The server lets in only people with a valid token, and there was none, or a damaged one.',
    invitation, 'edit'],
  'token-expired': ['Your invitation has expired', 'The token in your link is no longer valid, or not yet.', invitation, 'edit'],
  forbidden: ['Your invitation is for another room', 'The token in your link does not open this room.', invitation, 'edit'],
  replaced: ['You joined from somewhere else', 'The same invitation is now in use in another tab or on another device, so this one hung up.',
    'Go on there, or take the call back here.', 'again'],
  'join-timeout': ['Joining took too long', 'The server waited 5 seconds for this page to introduce itself.',
    'Check your network, then try again.', 'again'],
  'unsupported-version': ['Page and server do not match', 'They speak different versions of the protocol.', oldPage, 'reload'],
  protocol: ['Something between you and the server is broken', 'The data of the connection arrived damaged.',
    'A proxy or a security program may be in the way. Try another network if there is one.', 'again'],
  'bad-message': ['Page and server do not match', 'The server did not understand a message from this page.', oldPage, 'reload'],
  'bad-chunk': ['Page and server do not match', 'The server did not understand media from this page.', oldPage, 'reload'],
  'chunk-order': ['Page and server do not match', 'The server got media from this page out of order.', oldPage, 'reload'],
  'too-large': ['Something was too large to send', 'This page sent more in one piece than the server takes.',
    'Reload the page. A lower picture quality in the settings can help.', 'reload'],
  flood: ['Too many messages at once', 'This page sent more than any call needs, so the server hung up.', oldPage, 'reload'],
  credit: ['Page and server do not match', 'This page sent more of a file than its receiver had room for.', oldPage, 'reload'],
  'resume-refused': ['The call could not be resumed', 'You were away for too long, or the server was restarted.', 'Join again.', 'again'],
  'no-grant': ['Your invitation does not allow this', 'The token in your link lets you do less than a call needs.', invitation, 'edit'],
  'no-such-recording': ['There is no such recording', 'It was deleted, is not complete yet, or the link is wrong.',
    'Check the link. A recording can be watched once it has ended.', 'again'],
  'bad-room': ['This room name does not work', 'It needs at least one letter or digit.', 'Choose another name.', 'home'],
};

/** Every code that has words of its own. */
export const knownCodes: readonly string[] = Object.keys(rows);

/** The words for a code. text is what came with it; it is shown only where the code says nothing. */
export function problemOf(code: string, text: string): Problem {
  const [title, why, advice, remedy, wait = 0] = rows[code] ?? [
    'The call ended unexpectedly',
    text ? `${text} (${code})` : `The reason given was “${code}”.`,
    'Try again. If it happens again, tell whoever runs the server.',
    'again' as const,
  ];
  return { title, why, advice, remedy, wait };
}

export const remedyLabels: Record<Remedy, string> = {
  again: 'Try again',
  edit: 'Back',
  reload: 'Reload the page',
  home: 'Choose another room',
};
