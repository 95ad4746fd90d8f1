import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../../sdk/api';
import { badge, bytesLeft, chatBytes, emptyChat, opened, received, startsBlock } from './chatlog';

const message = (seq: number, from = 'a', at = 1000 * seq): ChatMessage => ({ seq, from, name: from, text: `t${seq}`, at, past: false });

describe('unread', () => {
  it('does not count what was said before', () => {
    expect(received(emptyChat, { ...message(1), past: true }, false)).toMatchObject({ unread: 0, messages: [{ seq: 1 }] });
  });

  it('takes the first message of a relay that began anew', () => {
    expect(received(received(emptyChat, message(1), false), message(1, 'a', 9_000), false).messages.length).toBe(2);
  });

  it('counts what others say while the chat is closed', () => {
    let chat = received(received(emptyChat, message(1), false), message(2), false);
    expect(chat.unread).toBe(2);
    chat = received(chat, message(3, 'me'), true);
    expect(chat.unread).toBe(2);
  });

  it('goes to nothing when the chat opens and stays there', () => {
    let chat = opened(received(emptyChat, message(1), false), true);
    expect(chat.unread).toBe(0);
    chat = received(chat, message(2), false);
    expect(chat.unread).toBe(0);
    expect(received(opened(chat, false), message(3), false).unread).toBe(1);
  });

  it('takes a message that comes twice once', () => {
    const chat = received(received(emptyChat, message(1), false), message(1), false);
    expect(chat.messages).toHaveLength(1);
    expect(chat.unread).toBe(1);
  });

  it('shows large numbers short', () => {
    expect([badge(1), badge(99), badge(100)]).toEqual(['1', '99', '99+']);
  });
});

it('keeps a bounded number of messages, the newest', () => {
  let chat = emptyChat;
  for (let seq = 1; seq <= 700; seq++) chat = received(chat, message(seq), false);
  expect(chat.messages.length).toBeLessThanOrEqual(500);
  expect(chat.messages[chat.messages.length - 1]?.seq).toBe(700);
});

describe('bytesLeft', () => {
  it('counts bytes of UTF-8, as the server does', () => {
    expect(bytesLeft('')).toBe(chatBytes);
    expect(bytesLeft('ü')).toBe(chatBytes - 2);
    expect(bytesLeft('😀')).toBe(chatBytes - 4);
    expect(bytesLeft('a'.repeat(4096))).toBe(0);
    expect(bytesLeft('ü'.repeat(2049))).toBe(-2);
  });

  it('does not count what is trimmed before sending', () => {
    expect(bytesLeft(`  a\n`)).toBe(chatBytes - 1);
  });
});

it('starts a block for another sender and after a pause', () => {
  expect(startsBlock(message(1), undefined)).toBe(true);
  expect(startsBlock(message(2), message(1))).toBe(false);
  expect(startsBlock(message(2, 'b'), message(1))).toBe(true);
  expect(startsBlock(message(2, 'a', 200_000), message(1))).toBe(true);
});
