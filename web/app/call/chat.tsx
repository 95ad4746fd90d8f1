import type { ChatMessage } from '../../sdk';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { labels } from '../labels';
import { Clip, Send } from '../ui/icons';
import type { Call, CallState } from './call';
import { bytesLeft, clock, startsBlock } from './chatlog';
import { FileView } from './file-view';
import { timeline, type FileLine } from './files';
import { PanelFrame } from './panel';

export function ChatPanel({ call, state }: { call: Call; state: CallState }) {
  return (
    <PanelFrame call={call} panel="chat" title={labels.chat} onFiles={(files) => call.files.offer(files)}>
      <Log call={call} messages={state.chat.messages} files={state.files} self={state.self.id} />
      <Compose call={call} online={state.state === 'online'} />
    </PanelFrame>
  );
}

/** How close to its end the log counts as being read at the end, px. */
const atEnd = 60;

interface LogProps {
  call: Call;
  messages: readonly ChatMessage[];
  files: readonly FileLine[];
  self: string;
}

function Log({ call, messages, files, self }: LogProps) {
  const log = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const last = messages[messages.length - 1];
  const lastFile = files[files.length - 1]?.key;
  useLayoutEffect(() => {
    const element = log.current;
    // A reader who scrolled up stays there, unless the newest message is their own.
    if (element && (following.current || last?.from === self)) element.scrollTop = element.scrollHeight;
  }, [last, lastFile, self]);
  const scrolled = () => {
    const element = log.current;
    if (element) following.current = element.scrollHeight - element.scrollTop - element.clientHeight < atEnd;
  };
  return (
    <div ref={log} class="chat-log" role="log" aria-label={labels.chat} tabIndex={0} onScroll={scrolled}>
      {messages.length + files.length === 0 && (
        <p class="quiet empty">Nothing said yet. Messages go to everyone in the room and are not kept. Files can be dropped here.</p>
      )}
      {timeline(messages, files).map(({ message, file, before }) =>
        message ? (
          <MessageView key={message.seq} message={message} own={message.from === self} first={startsBlock(message, before)} />
        ) : (
          <FileView key={file.key} files={call.files} line={file} />
        ),
      )}
    </div>
  );
}

/** The text is a text node, whatever it contains: no markup, no links that open by themselves. */
function MessageView({ message, own, first }: { message: ChatMessage; own: boolean; first: boolean }) {
  return (
    <article class={`chat-message ${own ? 'own' : ''} ${first ? 'first' : ''}`}>
      {first && (
        <header>
          <strong>{own ? labels.you : message.name}</strong>
          <time dateTime={new Date(message.at).toISOString()}>{clock(message.at)}</time>
        </header>
      )}
      <p dir="auto">{message.text}</p>
    </article>
  );
}

function Compose({ call, online }: { call: Call; online: boolean }) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight + 2, 140)}px`;
  }, [text]);
  const left = bytesLeft(text);
  const sendable = online && text.trim() !== '' && left >= 0;
  const send = (event: Event) => {
    event.preventDefault();
    if (!sendable) return;
    call.room.chat(text.trim());
    setText('');
    field.current?.focus();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
  };
  return (
    <form class="compose" onSubmit={send}>
      <Attach call={call} />
      <textarea
        ref={field}
        rows={1}
        aria-label={labels.message}
        placeholder="Write to everyone"
        value={text}
        aria-invalid={left < 0}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={key}
      />
      <button type="submit" class="icon-button accent" aria-label={labels.send} disabled={!sendable}>
        <Send />
      </button>
      {left < 200 && (
        <small class={left < 0 ? 'complaint' : 'quiet'} role="status">
          {left < 0 ? `${-left} bytes too long` : `${left} bytes left`}
        </small>
      )}
      {!online && <small class="quiet">You can write again when the connection is back.</small>}
    </form>
  );
}

/** Chooses files to offer. The browser's own field cannot be made to look like the rest; the button stands for it. */
function Attach({ call }: { call: Call }) {
  const field = useRef<HTMLInputElement>(null);
  const chosen = () => {
    const element = field.current;
    if (!element) return;
    call.files.offer([...(element.files ?? [])]);
    // The same file can be chosen again.
    element.value = '';
  };
  return (
    <>
      <input ref={field} type="file" multiple hidden onChange={chosen} />
      <button type="button" class="icon-button" aria-label={labels.attach} title={labels.attach} onClick={() => field.current?.click()}>
        <Clip />
      </button>
    </>
  );
}
