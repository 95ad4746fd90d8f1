import type { ChatMessage } from '../../sdk';

/** Protocol limit, in bytes of UTF-8. */
export const chatBytes = 4096;

/** Messages that the page keeps; older ones go. */
const kept = 500;

export interface ChatState {
  messages: readonly ChatMessage[];
  open: boolean;
  unread: number;
}

export const emptyChat: ChatState = { messages: [], open: false, unread: 0 };

/** Takes a message in. One's own never counts as unread, nor does what is past, nor anything while the chat is open. */
export function received(chat: ChatState, message: ChatMessage, own: boolean): ChatState {
  // By time, since numbers begin anew where the relay does.
  if (chat.messages.some((known) => known.at === message.at)) return chat;
  return {
    ...chat,
    messages: [...chat.messages, message].slice(-kept),
    unread: chat.open || own || message.past ? chat.unread : chat.unread + 1,
  };
}

/** Somebody offered a file. */
export function offered(chat: ChatState): ChatState {
  return { ...chat, unread: chat.open ? 0 : chat.unread + 1 };
}

export function opened(chat: ChatState, open: boolean): ChatState {
  return { ...chat, open, unread: open ? 0 : chat.unread };
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** Bytes still free; negative when the text is too long to send. */
export const bytesLeft = (text: string): number => chatBytes - bytesOf(text.trim());

/** What the badge shows. */
export const badge = (unread: number): string => (unread > 99 ? '99+' : String(unread));

/** Whether a message starts a new block: another sender, or three minutes of silence. */
export function startsBlock(message: ChatMessage, before: ChatMessage | undefined): boolean {
  return !before || before.from !== message.from || message.at - before.at > 180_000;
}

export function clock(at: number, locale?: string): string {
  return new Date(at).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
}
